// SPDX-License-Identifier: BSL-1.0
#include "arguments.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <locale>
#include <sstream>
#include <string>

namespace {

template <class Number>
Number number(std::string_view option, std::string_view text, Number most) {
    Number n{};
    auto const [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (ec != std::errc() || end != text.data() + text.size() || n > most)
        throw BadArgument(std::string(option) + ": a number from 0 to " + std::to_string(most) +
                          " is expected, not " + shown(text));
    return n;
}

palette::testing::RateLimit rate_limit(std::string_view text) {
    if (text == "off") return palette::testing::RateLimit::off();
    auto const colon = std::min(text.find(':'), text.size());
    palette::testing::RateLimit limit;
    // By way of a stream: libc++ 19 has no from_chars of a double.
    auto const read = [](std::string_view part, double& n) {
        if (part.empty() || part.front() == '+') return false;
        if (part.find_first_not_of("0123456789.eE+-") != std::string_view::npos) return false;
        std::istringstream in{std::string(part)};
        in.imbue(std::locale::classic());
        return (in >> n) && in.peek() == std::istringstream::traits_type::eof() && std::isfinite(n);
    };
    if (colon == text.size() || !read(text.substr(0, colon), limit.per_second) ||
        !read(text.substr(colon + 1), limit.burst) || limit.per_second <= 0 || limit.burst < 1)
        throw BadArgument(
            "--rate-limit: off is expected, or requests a second and a burst as in 10:50, not " +
            shown(text));
    return limit;
}

palette::testing::FaultRule fault(std::string_view text) {
    auto rule = palette::testing::FaultRule::parse(text);
    if (!rule) throw BadArgument("--fault: " + rule.error().what());
    return *rule;
}

struct Flag {
    std::string_view name;
    std::function<void(Arguments&)> set;
};

struct Option {
    std::string_view name;
    std::function<void(Arguments&, std::string_view value)> set;
};

const Flag flags[] = {
    {"--plain-http", [](Arguments& a) { a.options.plain_http = true; }},
    {"--allow-remote", [](Arguments& a) { a.options.allow_remote = true; }},
    {"--retry-after", [](Arguments& a) { a.options.send_retry_after = true; }},
    {"--quiet", [](Arguments& a) { a.quiet = true; }},
    {"--help", [](Arguments& a) { a.help = true; }},
    {"-h", [](Arguments& a) { a.help = true; }},
    {"--version", [](Arguments& a) { a.version = true; }},
};

const Option options[] = {
    {"--listen", [](Arguments& a, std::string_view v) { a.options.listen = v; }},
    {"--port",
     [](Arguments& a, std::string_view v) { a.options.port = number<std::uint16_t>("--port", v, 65'535); }},
    {"--ca-out",
     [](Arguments& a, std::string_view v) {
         if (v.empty()) throw BadArgument("--ca-out: the name of a file is expected");
         a.ca_out = v;
     }},
    {"--rate-limit", [](Arguments& a, std::string_view v) { a.options.rate_limit = rate_limit(v); }},
    {"--quota",
     [](Arguments& a, std::string_view v) { a.options.quota = number<std::size_t>("--quota", v, 10'000); }},
    {"--keys",
     [](Arguments& a, std::string_view v) { a.options.keys = number<std::size_t>("--keys", v, 10'000'000); }},
    {"--fault", [](Arguments& a, std::string_view v) { a.faults.push_back(fault(v)); }},
};

void check_together(const Arguments& arguments) {
    if (arguments.options.plain_http && !arguments.ca_out.empty())
        throw BadArgument("--ca-out: with --plain-http there is no certificate");
}

}  // namespace

std::string shown(std::string_view text) {
    std::string out = "\"";
    for (char const c : text.substr(0, 64))
        out += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    return out + '"';
}

Arguments parse_arguments(std::span<char* const> words) {
    Arguments arguments;
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string_view const word = words[i];
        if (auto const* const flag = std::ranges::find(flags, word, &Flag::name); flag != std::end(flags)) {
            flag->set(arguments);
            continue;
        }
        // --name value, or --name=value
        auto const equals = std::min(word.find('='), word.size());
        auto const* const option = std::ranges::find(options, word.substr(0, equals), &Option::name);
        if (option == std::end(options)) throw BadArgument("there is no option " + shown(word));
        if (equals < word.size())
            option->set(arguments, word.substr(equals + 1));
        else if (i + 1 < words.size())
            option->set(arguments, words[++i]);
        else
            throw BadArgument(std::string(option->name) + " needs a value");
    }
    check_together(arguments);
    return arguments;
}

std::string_view help_text() {
    return R"(usage: palette-emulator [OPTION]...

An emulator of Palette's API-key service on this machine: a tenant with four users, their keys and
their permissions, in memory. When it is ready it prints one line of JSON on standard output: where it
is, and what to log in with. It ends with Ctrl-C or SIGTERM.

  --listen ADDRESS    to listen on (127.0.0.1)
  --port PORT         to listen on (0: any that is free)
  --plain-http        HTTP instead of HTTPS
  --ca-out FILE       write the certificate of its authority there, for curl --cacert FILE
  --rate-limit R:B    R requests a second, B at once, for each address and kind of path (10:50); or off
  --retry-after       say in a 429 when to come again
  --quota N           how many keys a user may have (20)
  --keys N            N more keys at the start, of users of their own with up to --quota keys each:
                      --quota 300 --keys 300 makes 300 keys of one user
  --fault RULE        misbehave: 'METHOD PATH-PREFIX KIND[:ARG] [xN] [after=M]'; may be given again
  --allow-remote      let --listen name an address that other machines reach
  --quiet             do not report requests on standard error
  --version, --help

Kinds of faults: delay:MS drop-before drop-after apply-late:MS truncate reset stall drip:MS close-idle,
status:CODE retry-after:S html:CODE redirect:URL echo-credential garbage trailing wrong-type huge:BYTES
deep:N, legacy-create uid-is-user page:N list-lag:MS strip-annotations deny-delete deny-list
late-activation:MS.

  palette-emulator --ca-out ca.pem --fault 'POST /v1/apiKeys drop-after x1'
)";
}
