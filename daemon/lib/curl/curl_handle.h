// Owns: libcurl's handles. The only place that includes its header; whoever includes this one speaks libcurl.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>

namespace nemo::lib::curl {

// One per process, before the first handle and after the last.
class Library {
 public:
  Library() {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
  }
  ~Library() { curl_global_cleanup(); }
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
};

struct EasyDeleter {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
using Easy = std::unique_ptr<CURL, EasyDeleter>;

struct MultiDeleter {
  void operator()(CURLM* handle) const { curl_multi_cleanup(handle); }
};
using Multi = std::unique_ptr<CURLM, MultiDeleter>;

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

// Throws when it is none.
inline Url parse_url(const std::string& text) {
  Url url(curl_url());
  if (!url) throw std::bad_alloc();
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0);
  if (code != CURLUE_OK) throw std::runtime_error(std::string("its URL cannot be used: ") + curl_url_strerror(code));
  return url;
}

// A list of "name: value" lines that curl reads while a transfer runs.
class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList() { curl_slist_free_all(m_list); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  void add(const std::string& line) {
    curl_slist* longer = curl_slist_append(m_list, line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    m_list = longer;
  }
  curl_slist* get() const { return m_list; }

 private:
  curl_slist* m_list = nullptr;
};

// Sets an option or throws: a refused option is a bug or a libcurl that cannot do what this program needs.
template <typename Value>
void set(CURL* handle, CURLoption option, Value value) {
  const CURLcode code = curl_easy_setopt(handle, option, value);
  if (code != CURLE_OK) throw std::runtime_error(std::string("libcurl refused an option: ") + curl_easy_strerror(code));
}

template <typename Value>
void set(CURLM* handle, CURLMoption option, Value value) {
  const CURLMcode code = curl_multi_setopt(handle, option, value);
  if (code != CURLM_OK)
    throw std::runtime_error(std::string("libcurl refused an option: ") + curl_multi_strerror(code));
}

}  // namespace nemo::lib::curl
