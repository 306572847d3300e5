// SPDX-License-Identifier: BSL-1.0

// Whatever the bytes are: no crash, the same outcome however they are cut, and a bounded rest.

#include "support/parsed_response.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace {

void check_every_cut(std::string_view bytes, parsing::Setting setting) {
    auto const whole = parsing::parse(bytes, setting);
    for (std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, bytes.size() / 2 + 1}) {
        setting.piece = piece;
        bool kept_word = true;
        if (parsing::parse(bytes, setting, &kept_word) != whole || !kept_word) std::abort();
    }
    if (whole.error && whole.error->message().find('\n') != std::string_view::npos) std::abort();
    bool const ended = setting.end.has_value() && whole.state == parsing::ResponseParser::State::needs_more;
    if (ended || whole.body.size() > setting.limits.body_bytes) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view const bytes(reinterpret_cast<const char*>(data), size);
    parsing::Setting setting;
    check_every_cut(bytes, setting);
    setting.limits = {.head_bytes = 128, .body_bytes = 32, .fields = 4, .interim = 1};
    check_every_cut(bytes, setting);
    setting.kind = parsing::AnswerTo::head_request;
    setting.end.reset();
    check_every_cut(bytes, setting);
    return 0;
}
