// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/testing/fault_kind.hpp>

#include <cstdint>
#include <iosfwd>
#include <string>
#include <string_view>

namespace palette::inline PALETTE_KEYS_ABI::testing {

/// Describes a fault, and the requests into which the emulator injects it:
/// ```
///     METHOD PATH-PREFIX KIND[:ARG] [xN] [after=M]
///
///     POST /v1/apiKeys drop-after x1        the next create is applied, and its response lost
///     GET /v1/apiKeys status:503 x2 after=5 two reads fail, after five that do not
///     * / delay:200                         every response is late
/// ```
/// METHOD is one method, or * for all. PATH-PREFIX is what the path begins with, as it was sent. xN: for N
/// requests; without it, for all. after=M: not for the first M that match. Requests that are refused before
/// they reach the service, by a guard, the rate limit or as malformed, match no rule.
///
/// A request takes at most one rule of each of the three groups: the first that matches, in the order in
/// which the rules were added. Only that rule counts the request as one of its N. So "garbage" and "drip:1"
/// work together, and of "status:500 x1" and "status:502 x1" the second comes after the first.
/// ```
///     group      kind                what happens                                      the request is
///
///     delivery   delay:MS            answered MS later                                 applied
///                drop-before         connection closed                                 not applied
///                drop-after          connection closed without a byte of the response  applied
///                apply-late:MS       connection closed at once                         applied MS later
///                truncate            half of the body is sent (without a body, half    applied
///                                    of the header), then the connection closed
///                reset               connection reset (TCP RST)                        not applied
///                stall               accepted, never answered                          not applied
///                drip:MS             answered, one byte every MS milliseconds          applied
///                close-idle          answered, then the kept-alive connection closed   applied
///
///     answer     status:CODE         answered with that status and an error body;      not applied
///                                    below 400, with {}
///                retry-after:VALUE   429 with that Retry-After: seconds, "date" for    not applied
///                                    an HTTP date two seconds ahead, or other text
///                html:CODE           answered with that status and an HTML page        not applied
///                redirect:URL        307 to that URL                                   not applied
///                echo-credential     404 whose message contains the credential that    not applied
///                                    was sent, raw and percent-encoded
///                garbage             200 with a body that is not JSON                  applied
///                trailing            a good body, then junk, within Content-Length     applied
///                wrong-type          JSON in which every field has a wrong type        applied
///                huge:BYTES          a JSON body of that size                          applied
///                deep:N              JSON nested N deep                                applied
///
///     behaviour  legacy-create       create answers {uid} alone, without the value
///                uid-is-user         the uid in the response to a create is the user's
///                page:N              lists return N items at a time, with listmeta.continue
///                list-lag:MS         a list does not show keys younger than that
///                strip-annotations   unknown annotations are not kept, by create and update
///                deny-delete         DELETE answers 403
///                deny-list           a list answers 403; a single key or user is still given
///                late-activation:MS  the key that is created is refused with 401 for that long
/// ```
/// Every kind of the last group is a group of its own, and counts only the requests that it concerns: a GET
/// does not use up a "legacy-create x1". Times are those of the emulator's clock. MS is at most a day, CODE
/// 200 to 599.
class PALETTE_KEYS_DECL FaultRule {
public:
    /// Names the kinds of faults.
    using Kind = FaultKind;

    /// Stands for all requests in times().
    static constexpr std::uint64_t always = ~std::uint64_t{0};

    /// Parses a rule.
    ///
    /// Errors: errc::invalid_argument, which says which part is wrong and why.
    static Result<FaultRule> parse(std::string_view text);

    /// Returns the method, or "*".
    [[nodiscard]] const std::string& method() const& noexcept { return method_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string method() const&& { return method_; }
    /// Returns what the path begins with.
    [[nodiscard]] const std::string& path_prefix() const& noexcept { return path_prefix_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string path_prefix() const&& { return path_prefix_; }
    /// Returns the kind of the fault.
    [[nodiscard]] Kind kind() const noexcept { return kind_; }
    /// Returns ARG if it is a number.
    [[nodiscard]] std::uint64_t number() const noexcept { return number_; }
    /// Returns ARG if it is a text.
    [[nodiscard]] const std::string& text() const& noexcept { return text_; }
    /// Same, from a temporary: by value.
    [[nodiscard]] std::string text() const&& { return text_; }
    /// Returns N, or `always`.
    [[nodiscard]] std::uint64_t times() const noexcept { return times_; }
    /// Returns M.
    [[nodiscard]] std::uint64_t after() const noexcept { return after_; }

    /// Returns the rule as parse() takes it.
    [[nodiscard]] std::string to_string() const;

    /// Compares all members.
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

/// Writes to_string().
PALETTE_KEYS_DECL std::ostream& operator<<(std::ostream& out, const FaultRule& rule);

}  // namespace palette::inline PALETTE_KEYS_ABI::testing

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/faults/fault_rule.ipp>
#endif
