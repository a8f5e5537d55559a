#include "cli/commands/choose_key.h"

#include <doctest/doctest.h>

#include "cli/commands/price_sum.h"

namespace nemo::test::choose_key_test {

using namespace nemo;
using namespace nemo::cli::commands;

namespace {

std::vector<admin::Key> keys() {
  std::vector<admin::Key> list(3);
  list[0].id = "key_aaa1";
  list[0].hint = "…wxyz";
  list[1].id = "key_aab2";
  list[1].hint = "…same";
  list[2].id = "key_bbb3";
  list[2].hint = "…same";
  return list;
}

admin::Model priced() {
  admin::Model model;
  model.id = "m";
  model.input_price = "0.30";
  model.cached_input_price = "0.03";
  model.output_price = "2.50";
  model.input_price_above_200k = "0.60";
  model.cached_input_price_above_200k = "0.06";
  model.output_price_above_200k = "5";
  return model;
}

}  // namespace

TEST_CASE("a key is meant by its id, the beginning of it, or the end of the key") {
  CHECK(choose_key(keys(), "key_bbb3")->id == "key_bbb3");
  CHECK(choose_key(keys(), "key_aaa")->id == "key_aaa1");
  CHECK(choose_key(keys(), "…wxyz")->id == "key_aaa1");
  CHECK(choose_key(keys(), "wxyz")->id == "key_aaa1");
}

TEST_CASE("what may mean several keys is refused and names them") {
  const auto chosen = choose_key(keys(), "same");
  REQUIRE_FALSE(chosen.ok());
  CHECK(chosen.error().kind == ErrorKind::conflict);
  CHECK(chosen.error().message.find("key_aab2") != std::string::npos);
  CHECK(chosen.error().message.find("key_bbb3") != std::string::npos);
  CHECK_FALSE(choose_key(keys(), "key_aa").ok());
}

TEST_CASE("what every key begins with, or nothing, means no key") {
  CHECK(choose_key({keys()[0]}, "key_").error().kind == ErrorKind::not_found);
  CHECK(choose_key({keys()[0]}, "").error().kind == ErrorKind::not_found);
  CHECK(choose_key(keys(), "nope").error().kind == ErrorKind::not_found);
}

TEST_CASE("a cost is the tokens times the prices, rounded up once") {
  admin::Call call;
  call.input_tokens = 1'200;
  call.cached_tokens = 200;
  call.output_tokens = 340;
  const auto sum = sum_prices(priced(), call);
  REQUIRE(sum.has_value());
  CHECK(sum->total.value == 300'000 + 6'000 + 850'000);
  CHECK(sum->lines[0].tokens == 1'000);
  admin::Model odd = priced();
  odd.input_price = "0.000000001";
  call = {};
  call.input_tokens = 1;
  CHECK(sum_prices(odd, call)->total.value == 1);
}

TEST_CASE("what was written to the provider's cache has a price of its own, or that of other input") {
  admin::Call call;
  call.input_tokens = 1'000'000;
  call.cached_tokens = 100'000;
  call.cache_write_tokens = 400'000;
  admin::Model model = priced();
  model.input_price_above_200k.reset();
  model.cache_write_price = "0.375";
  CHECK(sum_prices(model, call)->total.value == 150'000'000 + 3'000'000 + 150'000'000);
  CHECK(sum_prices(model, call)->lines[0].tokens == 500'000);
  model.cache_write_price.reset();
  CHECK(sum_prices(model, call)->total.value == 270'000'000 + 3'000'000);
  call.cache_write_tokens = 2'000'000;  // more than there is
  CHECK(sum_prices(model, call)->total.value == 270'000'000 + 3'000'000);
}

TEST_CASE("above 200,000 tokens of input the higher prices hold for all of it") {
  admin::Call call;
  call.input_tokens = 200'000;
  CHECK(sum_prices(priced(), call)->total.value == 60'000'000);
  call.input_tokens = 200'001;
  CHECK(sum_prices(priced(), call)->total.value == 120'000'600);
}

TEST_CASE("a model without a price has no sum") {
  CHECK_FALSE(sum_prices(admin::Model{}, admin::Call{}).has_value());
}

}  // namespace nemo::test::choose_key_test
