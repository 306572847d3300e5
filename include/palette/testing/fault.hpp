// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/testing/fault_kind.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::testing {

// How the emulator is to misbehave, for which requests:
//
//     METHOD PATH-PREFIX KIND[:ARG] [xN] [after=M]
//
//     POST /v1/apiKeys drop-after x1        the next create is done, and its answer lost
//     GET /v1/apiKeys status:503 x2 after=5 two reads fail, after five that do not
//     * / delay:200                         everything is slow
//
// METHOD is one method, or * for all. PATH-PREFIX is what the path begins with, as it was sent. xN: for
// N requests; without it, for all. after=M: not for the first M that match. Requests that are refused at
// the door, by a guard, the rate limit or as malformed, meet no rule.
//
// A request takes at most one rule of each of the three groups, the first that matches in the order in
// which the rules were added, and only that rule counts it as one of its N. So "garbage" and "drip:1"
// work together, and of "status:500 x1" and "status:502 x1" the second comes after the first.
//
// group      kind                what happens                                          the request is
//
// delivery   delay:MS            answered, MS later                                    applied
//            drop-before         connection closed                                     not applied
//            drop-after          connection closed without a byte of the answer        applied
//            apply-late:MS       connection closed at once                             applied MS later
//            truncate            half of the body is sent (without a body, half of     applied
//                                the header), then the connection closed
//            reset               connection reset (TCP RST)                            not applied
//            stall               accepted, never answered                              not applied
//            drip:MS             answered, one byte every MS milliseconds              applied
//            close-idle          answered, then the kept-alive connection closed       applied
//
// answer     status:CODE         answered with that status and an error body; below    not applied
//                                400, with {}
//            retry-after:VALUE   429 with that Retry-After: seconds, "date" for an     not applied
//                                HTTP date two seconds ahead, or any other text
//            html:CODE           answered with that status and a page of HTML          not applied
//            redirect:URL        307 to there                                          not applied
//            echo-credential     404 whose message holds the credential that was       not applied
//                                sent, raw and percent-encoded
//            garbage             200 with a body that is not JSON                      applied
//            trailing            a good body, then junk, within Content-Length         applied
//            wrong-type          JSON in which every field has a wrong type            applied
//            huge:BYTES          a JSON body of that size                              applied
//            deep:N              JSON nested N deep                                    applied
//
// behaviour  legacy-create       create answers {uid} alone, without the value
//            uid-is-user         create's uid is the user's
//            page:N              lists give N items at a time, with listmeta.continue
//            list-lag:MS         a list does not show keys younger than that
//            strip-annotations   unknown annotations are not kept, by create and update
//            deny-delete         DELETE answers 403
//            late-activation:MS  the key that is created is refused with 401 for that long
//
// Of the last group every kind is a group of its own, and only requests that it concerns count: a GET
// does not use up a "legacy-create x1". Times are those of the emulator's clock. MS is a day at most, CODE
// 200 to 599.
class PALETTE_KEYS_DECL FaultRule {
public:
    using Kind = FaultKind;

    static constexpr std::uint64_t always = ~std::uint64_t{0};

    // errc::invalid_argument, saying what is wrong with which part.
    static Result<FaultRule> parse(std::string_view text);

    [[nodiscard]] const std::string& method() const& noexcept { return method_; }
    [[nodiscard]] std::string method() const&& { return method_; }
    [[nodiscard]] const std::string& path_prefix() const& noexcept { return path_prefix_; }
    [[nodiscard]] std::string path_prefix() const&& { return path_prefix_; }
    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }    // ARG, where it is a number
    [[nodiscard]] const std::string& text() const& noexcept { return text_; }  // ARG, where it is not
    [[nodiscard]] std::string text() const&& { return text_; }
    [[nodiscard]] std::uint64_t times() const noexcept { return times_; }  // N, or always
    [[nodiscard]] std::uint64_t after() const noexcept { return after_; }  // M

    // As parse() takes it.
    [[nodiscard]] std::string to_string() const;

    friend bool operator==(const FaultRule&, const FaultRule&) = default;

private:
    FaultRule() = default;

    std::string method_;
    std::string path_prefix_;
    Kind kind_{};
    std::uint64_t number_ = 0;
    std::string text_;
    std::uint64_t times_ = always;
    std::uint64_t after_ = 0;
};

PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const FaultRule& rule);

}  // namespace palette::inline PALETTE_KEYS_ABI::testing

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/faults/fault_rule.ipp>
#endif
