// What counts as text and what as an image, in every surface's body.
#include "daemon/protocol/prompt_size.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

namespace nemo::test::prompt_size_test {

using nemo::protocol::measure_prompt;

namespace {

const std::string k_picture(4'000, 'A');

std::size_t text_of(const std::string& body) {
  return measure_prompt(body).ascii_bytes;
}

std::int64_t images_in(const std::string& body) {
  return measure_prompt(body).images;
}

}  // namespace

TEST_CASE("an image in a body is an image and no text, in the form of every surface") {
  const std::vector<std::string> bodies{
      R"({"type":"image_url","image_url":{"url":"data:image/png;base64,)" + k_picture + "\"}}",
      R"({"type":"input_image","image_url":"data:image/png;base64,)" + k_picture + "\"}",
      R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":")" + k_picture + "\"}}",
      R"({"type":"image","source":{"data":")" + k_picture + R"(","media_type":"image/png","type":"base64"}})",
      R"({ "type" : "image", "source" : { "type" : "base64", "data" : ")" + k_picture +
          R"(", "media_type" : "image/webp" } })",
      R"({"inlineData":{"mimeType":"image/png","data":")" + k_picture + "\"}}",
      R"({"inline_data" : {"data":")" + k_picture + R"(","mime_type":"image/png"}})",
      R"({"role":"user","content":"what is it?","images":[")" + k_picture + "\"]}",
      R"({"images" : [ ")" + k_picture + "\" ]}",
  };
  for (const std::string& body : bodies) {
    CAPTURE(body.substr(0, 120));
    CHECK(images_in(body) == 1);
    CHECK(text_of(body) < 200);
    CHECK(text_of(body) > 10);
  }
}

TEST_CASE("each of several images counts, and what stands between them is text") {
  const std::string source =
      R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":")" + k_picture + "\"}}";
  const std::string words(1'000, 'w');
  const std::string body = "[" + source + ",{\"type\":\"text\",\"text\":\"" + words + "\"}," + source + "]";
  CHECK(images_in(body) == 2);
  CHECK(text_of(body) > 1'000);
  CHECK(text_of(body) < 1'300);
  const std::string list = R"({"images":[")" + k_picture + R"(", ")" + k_picture + R"(","short"],"prompt":")" + words;
  CHECK(images_in(list + "\"}") == 2);
  CHECK(text_of(list + "\"}") > 1'000);
  CHECK(text_of(list + "\"}") < 1'100);
}

TEST_CASE("an image that is only linked to counts as one") {
  CHECK(images_in(R"({"type":"image","source":{"type":"url","url":"https://example.com/a.png"}})") == 1);
  CHECK(images_in(R"({"type":"image_url","image_url":{"url":"https://example.com/a.png"}})") == 1);
  CHECK(images_in(R"({"fileData":{"mimeType":"image/png","fileUri":"gs://bucket/a.png"}})") == 1);
}

TEST_CASE("what only looks like an image stays text") {
  const std::vector<std::string> bodies{
      R"({"data":")" + k_picture + "\"}",                                                 // of nobody's source
      R"({"data":")" + k_picture + R"(","media_type":"image/png"})",                      // without "base64"
      R"({"type":"base64","media_type":"application/pdf","data":")" + k_picture + "\"}",  // a document
      R"({"type":"base64","media_type":"image/png","data":"words, and no base64: )" + k_picture + "\"}",
      R"({"image_data":{"mimeType":"image/png","data":")" + k_picture + "\"}}",
      R"({"text":"{\"type\":\"base64\",\"media_type\":\"image/png\",\"data\":\")" + k_picture + "\\\"}\"}",
      R"({"images":["a list of words, )" + k_picture + "\"]}",
      R"({"images":")" + k_picture + "\"}",
      R"({"url":"data:image/png;base64,words, and no base64: )" + k_picture + "\"}",
  };
  for (const std::string& body : bodies) {
    CAPTURE(body.substr(0, 120));
    CHECK(images_in(body) == 0);
    CHECK(text_of(body) == body.size());
  }
}

TEST_CASE("every byte is ASCII, beyond it, or an image's") {
  const std::string body = R"({"text":"é😀","images":[")" + k_picture + "\"]}";
  const auto size = measure_prompt(body);
  CHECK(size.other_bytes == 6);
  CHECK(size.ascii_bytes + size.other_bytes + k_picture.size() == body.size());
  // Nothing is taken away twice, whatever a URL holds.
  std::string odd = R"({"url":"data:image/png;base64,)";
  for (int i = 0; i < 500; ++i) odd += "é";
  CHECK(measure_prompt(odd).ascii_bytes + 1'000 == odd.size());
}

TEST_CASE("a body that ends anywhere is measured without reading beyond it") {
  const std::string body = R"({"images" : ["AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "B"],"inlineData": {"mimeType":)"
                           R"("image/png", "data" : "AAAA"}, "x":{"url":"data:image/png;base64,AAAA"}})";
  for (std::size_t end = 0; end <= body.size(); ++end) {
    CHECK(measure_prompt(std::string(body, 0, end)).ascii_bytes <= end);
  }
}

TEST_CASE("bytes that are not ASCII are counted one by one, wherever they stand") {
  for (std::size_t size = 0; size < 600; ++size) {
    std::string body;
    std::size_t other = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const bool is_other = (i * i + size) % 7 < 3 || size % 5 == 0;
      body.push_back(is_other ? '\xc3' : 'x');
      other += is_other ? 1 : 0;
    }
    CAPTURE(size);
    CHECK(measure_prompt(body).other_bytes == other);
    CHECK(measure_prompt(body).ascii_bytes == size - other);
  }
}

TEST_CASE("an image is found at whatever place of a body it stands") {
  const std::string image = R"({"type":"image_url","image_url":{"url":"data:image/png;base64,)" + k_picture + "\"}}";
  for (std::size_t before = 0; before < 40; ++before) {
    const std::string body = std::string(before, ' ') + image;
    CAPTURE(before);
    CHECK(images_in(body) == 1);
    CHECK(text_of(body) < 200);
  }
}

}  // namespace nemo::test::prompt_size_test
