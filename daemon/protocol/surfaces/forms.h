// The forms of the surfaces that are not OpenAI's own three, one .cpp for each client API.
#pragma once

#include "daemon/protocol/surface_form.h"

namespace nemo::protocol {

const SurfaceForm& messages_form();             // anthropic_messages.cpp
const SurfaceForm& responses_form();            // openai_responses.cpp
const SurfaceForm& gemini_form();               // gemini.cpp
const SurfaceForm& ollama_chat_form();          // ollama_chat.cpp
const SurfaceForm& ollama_generate_form();      // ollama_generate.cpp
const SurfaceForm& ollama_embed_form();         // ollama_embed.cpp
const SurfaceForm& mistral_fim_form();          // mistral_fim.cpp
const SurfaceForm& infill_form();               // llamacpp.cpp
const SurfaceForm& llamacpp_completion_form();  // llamacpp.cpp

}  // namespace nemo::protocol
