#include "tests/eval_fim/evaluate.h"

#include <cctype>
#include <optional>

#include "harness.h"
#include "tests/eval_fim/marks.h"
#include "tests/eval_fim/scripted_model.h"

namespace nemo::eval {
namespace {

using test::Json;
using test::Reply;

enum class Surface { completions, completions_rendered, mistral_fim, infill, llamacpp_completion };
enum class Habit { none, runs_on, fences, echo, overlap, all };  // what the model does wrong

struct Upstream {
  std::string model;
  std::string title;
  const Marks* marks = nullptr;  // null: told by suffix, or a chat
  bool chats = false;
  Habit habit = Habit::none;
};

constexpr std::string_view k_end = "@@END@@";
const Json k_stops = Json::parse(R"(["<|one|>","<|two|>","<|three|>","<|four|>","<|five|>","@@END@@"])");
const std::string k_other_file = "int other_file;\n";

std::vector<Upstream> upstreams() {
  std::vector<Upstream> all{{"eval-suffix", "suffix"}};
  for (const Marks& marks : k_marks) {
    const std::string name(marks.name);
    all.push_back({"eval-" + name, name, &marks, false, Habit::runs_on});
  }
  for (const auto& [habit, title] :
       std::initializer_list<std::pair<Habit, const char*>>{{Habit::none, "chat"},
                                                            {Habit::fences, "chat, fences"},
                                                            {Habit::echo, "chat, echo"},
                                                            {Habit::overlap, "chat, overlap"},
                                                            {Habit::all, "chat, all three"}}) {
    all.push_back({"eval-chat", title, nullptr, true, habit});
  }
  return all;
}

std::string config_for(const ScriptedModel& model) {
  std::string toml = "[routing]\nnum_retries = 0\n[model.\"eval-suffix\"]\nfim = \"suffix\"\n";
  for (const Marks& marks : k_marks) {
    toml += "[model.\"eval-" + std::string(marks.name) + "\"]\nfim = \"" + std::string(marks.name) + "\"\n";
  }
  toml += "[model.\"eval-chat\"]\nfim = \"none\"\n";
  return toml + "[[upstream]]\nname = \"scripted\"\nkind = \"openai\"\nunpriced = \"allow\"\nbase_url = \"" +
         model.base_url() + "\"\n";
}

// Enough of a text that nobody writes it there twice.
bool is_enough(std::string_view text) {
  std::size_t letters = 0;
  std::size_t solid = 0;
  for (const char c : text) {
    letters += std::isalnum(static_cast<unsigned char>(c)) != 0 ? 1U : 0U;
    solid += std::isspace(static_cast<unsigned char>(c)) == 0 ? 1U : 0U;
  }
  return letters >= 5 && solid >= 10;
}

// The last lines of the prefix, whole from their start. One line alone is repeated with its indentation: without one,
// "std::vector<" may well be what comes next.
std::string echo_of(const std::string& prefix) {
  for (std::size_t at = prefix.rfind('\n'); at != std::string::npos && at > 0; at = prefix.rfind('\n', at - 1)) {
    const std::string lines = prefix.substr(at + 1);
    if (lines.size() > 2'000) return {};
    const bool is_plain = lines.find('\n') != std::string::npos || lines.starts_with(' ');
    if (is_plain && is_enough(lines)) return lines;
  }
  return {};
}

std::string overlap_of(const std::string& suffix) {
  for (std::size_t at = suffix.find('\n'); at != std::string::npos; at = suffix.find('\n', at + 1)) {
    if (at > 1'000) return {};
    if (is_enough(std::string_view(suffix).substr(0, at))) return suffix.substr(0, at);
  }
  return {};
}

std::string answer_by(const Upstream& upstream, const Hole& hole, bool runs_on) {
  std::string text = hole.middle;
  const bool all = upstream.habit == Habit::all;
  if (all || upstream.habit == Habit::echo) text = echo_of(hole.prefix) + text;
  if (all || upstream.habit == Habit::overlap) text += overlap_of(hole.suffix);
  if (runs_on) text += upstream.marks != nullptr ? std::string(upstream.marks->first) + "x" : std::string(k_end) + " y";
  if (all || upstream.habit == Habit::fences) text = "```cpp\n" + text + "\n```";
  return text;
}

struct Asking {
  std::string path;
  Json body;
};

const Marks& marks_of_client(std::size_t number) {
  return k_marks[number % k_marks.size()];
}

bool is_infill_with_file(Surface surface, std::size_t number) {
  return surface == Surface::infill && number % 3 == 0;
}

Asking asking(Surface surface, const Upstream& upstream, const Hole& hole, std::size_t number) {
  Json body{{"model", upstream.model}, {"stream", number % 2 == 1}, {"stop", k_stops}, {"temperature", 0.1}};
  const std::string rendered = mark_hole(marks_of_client(number), hole.prefix, hole.suffix);
  switch (surface) {
    case Surface::completions:
      body.update({{"prompt", hole.prefix}, {"suffix", hole.suffix}, {"max_tokens", 300}});
      return {"/v1/completions", body};
    case Surface::completions_rendered:
      body.update({{"prompt", rendered}, {"max_tokens", 300}});
      return {"/v1/completions", body};
    case Surface::mistral_fim:
      body.update({{"prompt", hole.prefix}, {"suffix", hole.suffix}, {"random_seed", 3}});
      return {"/v1/fim/completions", body};
    case Surface::infill: {
      const std::size_t line = hole.prefix.rfind('\n') + 1;  // npos + 1 is 0
      body.update({{"input_prefix", hole.prefix.substr(0, line)},
                   {"prompt", hole.prefix.substr(line)},
                   {"input_suffix", hole.suffix},
                   {"n_predict", 300}});
      if (is_infill_with_file(surface, number)) {
        body["input_extra"] = Json::array({{{"text", k_other_file}, {"filename", "other.h"}}});
      }
      return {"/infill", body};
    }
    case Surface::llamacpp_completion:
      body.update({{"prompt", rendered}, {"n_predict", 300}});
      return {"/completion", body};
  }
  return {};
}

std::string text_in(Surface surface, const Json& json) {
  if (surface == Surface::infill || surface == Surface::llamacpp_completion) return json.value("content", "");
  if (!json.contains("choices") || json["choices"].empty()) return {};
  const Json& choice = json["choices"][0];
  if (surface != Surface::mistral_fim) return choice.value("text", "");
  return choice.value(choice.contains("delta") ? "delta" : "message", Json::object()).value("content", "");
}

std::string text_of(Surface surface, const Reply& reply, bool is_stream) {
  if (reply.status != 200) return "status " + std::to_string(reply.status) + ": " + reply.body;
  if (!is_stream) return text_in(surface, reply.json());
  std::string text;
  for (const std::string& event : test::stream_events(reply.body)) {
    if (event != "[DONE]") text += text_in(surface, Json::parse(event, nullptr, false));
  }
  return text;
}

std::optional<Sides> sides_seen(const Upstream& upstream, const Json& asked) {
  if (!asked.is_object()) return std::nullopt;
  if (!upstream.chats) {
    const std::string prompt = asked.value("prompt", "");
    if (upstream.marks != nullptr) return read_marked(*upstream.marks, prompt);
    return Sides{prompt, asked.value("suffix", "")};
  }
  if (!asked.contains("messages") || asked["messages"].size() != 2) return std::nullopt;
  const std::string text = asked["messages"][1].value("content", "");
  return read_marked({"chat", "<prefix>", "</prefix>\n<suffix>", "</suffix>"}, text);
}

// Models without marks for other files get these before the prefix.
bool has_reached(const Upstream& upstream, const Hole& hole, const Json& asked, bool with_file) {
  const auto seen = sides_seen(upstream, asked);
  if (!seen || seen->suffix != hole.suffix) return false;
  if (with_file && asked.dump().find("int other_file;") == std::string::npos) return false;
  if (seen->prefix == hole.prefix) return true;
  return with_file && seen->prefix == "+++++ other.h\n" + k_other_file + "\n\n+++++ \n" + hole.prefix;
}

void ask(test::Rig& rig, ScriptedModel& model, Surface surface, const Upstream& upstream, const Hole& hole,
         std::size_t number, Score& score) {
  const bool is_rendered = surface == Surface::completions_rendered || surface == Surface::llamacpp_completion;
  // Bytes that pass are not looked into: there the client's own stop texts are the server's affair.
  const bool passes =
      upstream.marks != nullptr ? is_rendered && &marks_of_client(number) == upstream.marks : !upstream.chats;
  const bool runs_on = !passes && number % 4 == 1;
  model.answer_with(answer_by(upstream, hole, runs_on));
  const Asking what = asking(surface, upstream, hole, number);
  const Reply reply = rig.post(what.path, what.body.dump());
  const std::string text = text_of(surface, reply, what.body["stream"] == true);
  const bool reached = has_reached(upstream, hole, model.asked(), is_infill_with_file(surface, number));
  ++score.asked;
  score.reached += reached ? 1U : 0U;
  score.returned += text == hole.middle ? 1U : 0U;
  if ((!reached || text != hole.middle) && score.first_miss.empty()) {
    score.first_miss = "hole " + std::to_string(number) + " of " + hole.file +
                       "\nbelongs: " + Json(hole.middle).dump() +
                       "\nwas told: " + Json(answer_by(upstream, hole, runs_on)).dump() +
                       "\ncame: " + Json(text).dump() + "\nasked: " + model.asked().dump();
  }
}

}  // namespace

std::vector<Score> evaluate(const std::vector<Hole>& holes) {
  ScriptedModel model;
  test::Rig rig({config_for(model), "", {}, true});
  std::vector<Score> scores;
  for (const auto& [surface, title] : std::initializer_list<std::pair<Surface, const char*>>{
           {Surface::completions, "/v1/completions, suffix"},
           {Surface::completions_rendered, "/v1/completions, rendered"},
           {Surface::mistral_fim, "/v1/fim/completions"},
           {Surface::infill, "/infill"},
           {Surface::llamacpp_completion, "/completion, rendered"}}) {
    for (const Upstream& upstream : upstreams()) {
      Score& score = scores.emplace_back();
      score.surface = title;
      score.upstream = upstream.title;
      for (std::size_t i = 0; i < holes.size(); ++i) ask(rig, model, surface, upstream, holes[i], i, score);
    }
  }
  return scores;
}

}  // namespace nemo::eval
