// One list of fields for each struct, read and written by the same names. Only for the .cpp files of this folder.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>

#include "shared/admin/json.h"

namespace nemo::admin {

class FieldWriter {
 public:
  explicit FieldWriter(Json& json) : m_json(json) {
    if (!m_json.is_object()) m_json = Json::object();
  }
  template <typename T>
  void operator()(const char* name, const T& value) {
    m_json[name] = value;
  }
  template <typename T>
  void operator()(const char* name, const std::optional<T>& value) {
    if (value) {
      m_json[name] = *value;
    } else {
      m_json[name] = nullptr;
    }
  }

 private:
  Json& m_json;
};

class FieldReader {
 public:
  // Throws json::type_error when `json` is not an object.
  explicit FieldReader(const Json& json) : m_json(json) { json.get_ref<const Json::object_t&>(); }
  template <typename T>
  void operator()(const char* name, T& value) {
    if (const auto found = m_json.find(name); found != m_json.end() && !found->is_null()) found->get_to(value);
  }
  template <typename T>
  void operator()(const char* name, std::optional<T>& value) {
    if (const auto found = m_json.find(name); found != m_json.end() && !found->is_null()) value = found->get<T>();
  }

 private:
  const Json& m_json;
};

}  // namespace nemo::admin
