// SPDX-License-Identifier: BSL-1.0
#pragma once

#include "bench/canned_service.hpp"
#include "bench/measure.hpp"

#include <curl/curl.h>
#include <nlohmann/json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

// A client written by hand with libcurl: an easy handle, which keeps its connection, and a DOM.
class CurlPeer {
public:
    explicit CurlPeer(std::uint16_t port) : base_("http://127.0.0.1:" + std::to_string(port)) {
        add_header("Accept: application/json");
        add_header("Accept-Encoding: identity");
        add_header("ApiKey: " + std::string(api_key));
        set(CURLOPT_HTTPHEADER, headers_);
        set(CURLOPT_USERAGENT, "palette-keys/0.1.0");
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_TIMEOUT, 30L);
        set(CURLOPT_WRITEFUNCTION, &CurlPeer::append);
        set(CURLOPT_WRITEDATA, &body_);
    }
    CurlPeer(const CurlPeer&) = delete;
    CurlPeer& operator=(const CurlPeer&) = delete;
    ~CurlPeer() {
        curl_easy_cleanup(handle_);
        curl_slist_free_all(headers_);
    }

    nlohmann::json get(std::string_view target) {
        body_.clear();
        auto const url = base_ + std::string(target);
        set(CURLOPT_URL, url.c_str());
        require(curl_easy_perform(handle_) == CURLE_OK);
        long status = 0;
        curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
        require(status == 200);
        return nlohmann::json::parse(body_);
    }

private:
    static std::size_t append(const char* data, std::size_t, std::size_t size, std::string* body) {
        body->append(data, size);
        return size;
    }
    template <class Value>
    void set(CURLoption option, Value value) {
        require(curl_easy_setopt(handle_, option, value) == CURLE_OK);
    }
    void add_header(const std::string& line) { headers_ = curl_slist_append(headers_, line.c_str()); }

    CURL* handle_ = curl_easy_init();
    curl_slist* headers_ = nullptr;
    std::string base_;
    std::string body_;
};

}  // namespace bench
