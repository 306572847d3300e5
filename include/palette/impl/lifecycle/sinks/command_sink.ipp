// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/printable.hpp>
#include <palette/impl/lifecycle/sinks/program_run.hpp>
#include <palette/impl/lifecycle/sinks/receipt_json.hpp>
#include <palette/impl/redaction/redactor.hpp>
#include <palette/impl/system/environment.hpp>
#include <palette/impl/system/files.hpp>
#include <palette/impl/values/text.hpp>
#include <palette/lifecycle/secret_sink.hpp>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <mutex>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI {
namespace impl::lifecycle {

// What a program's status means, by the contract of command_sink().
inline constexpr int status_conflict = 3;
inline constexpr int status_not_found = 4;
inline constexpr int status_unavailable = 75;  // EX_TEMPFAIL

inline constexpr std::size_t max_command_value = std::size_t{64} << 10;

using Variables = std::map<std::string, std::string>;

inline bool has_nul(std::string_view text) noexcept {
    return text.find('\0') != std::string_view::npos;
}

// Of what a program says, the last line is usually why it has failed.
inline std::string_view last_line(std::string_view text) noexcept {
    text = detail::trimmed(text);
    return detail::trimmed(text.substr(text.find_last_of('\n') + 1));
}

// Those of the contract, and nothing else of this process.
inline Variables base_environment() {
    Variables variables;
    for (auto const* const name : {"PATH", "HOME", "LANG"})
        if (auto const value = detail::environment_variable(name); !value.empty()) variables[name] = value;
    return variables;
}

inline Variables variables_of(const sinks::Receipt& receipt) {
    Variables variables;
    variables["PALETTE_ROTATION_ID"] = receipt.rotation_id;
    variables["PALETTE_KEY_UID"] = receipt.key_uid;
    variables["PALETTE_KEY_EXPIRY"] = receipt.expiry.to_string();
    return variables;
}

inline Variables variables_with_generation(const sinks::Receipt& receipt) {
    auto variables = variables_of(receipt);
    variables["PALETTE_GENERATION"] = std::to_string(receipt.generation);
    return variables;
}

class CommandSink : public sinks::SecretSink {
public:
    CommandSink(std::vector<std::string> argv, sinks::CommandOptions options)
        : argv_(std::move(argv)),
          options_(std::move(options)),
          timeout_(std::min<std::chrono::milliseconds>(options_.timeout(), std::chrono::years{1})) {}

    boost::asio::awaitable<Result<sinks::Receipt>> stage(std::string rotation_id, std::string key_uid,
                                                         Expiry expiry, const Secret& secret) override {
        // The generation is the program's to give.
        sinks::Receipt receipt(0, std::move(rotation_id), std::move(key_uid), expiry);
        if (secret.empty() || secret.size() > max_command_value)
            co_return Error(errc::invalid_argument, "stage: the value is empty, or larger than 64 KiB");
        // Before the program runs, which may quote the value in what it says of a failure.
        know(secret.expose());
        auto variables = variables_of(receipt);
        auto const end = co_await run("stage", std::move(variables), secret.expose());
        if (!end) co_return end.error();
        auto const text = detail::trimmed(end->output.expose());
        auto const* const last = text.data() + text.size();
        auto const [stop, fault] = std::from_chars(text.data(), last, receipt.generation);
        // The program has ended well: the value is stored, and only its generation is not known.
        if (text.empty() || fault != std::errc() || stop != last || receipt.generation == 0)
            co_return bad_output("stage", "its standard output is not a generation, a number from 1 on")
                .effect(Effect::applied);
        co_return receipt;
    }

    boost::asio::awaitable<Result<Secret>> read_back(sinks::Receipt receipt) override {
        // By this code a rotation tells a sink that cannot be read from one that has failed.
        if (options_.write_only())
            co_return Error(errc::rejected,
                            files::shown(argv_[0]) + " cannot read values back: it is write_only");
        auto variables = variables_with_generation(receipt);
        auto end = co_await run("read", std::move(variables), std::string_view());
        if (!end) co_return std::move(end).error();
        if (end->output.empty()) co_return bad_output("read", "its standard output is empty");
        co_return std::move(end->output);
    }

    boost::asio::awaitable<Result<void>> promote(sinks::Receipt receipt,
                                                 std::optional<std::uint64_t> expected_current) override {
        auto variables = variables_with_generation(receipt);
        variables["PALETTE_EXPECTED_GENERATION"] =
            expected_current ? std::to_string(*expected_current) : std::string("none");
        auto const end = co_await run("promote", std::move(variables), std::string_view());
        if (!end) co_return end.error();
        co_return Result<void>();
    }

    boost::asio::awaitable<Result<void>> discard(sinks::Receipt receipt) override {
        auto variables = variables_with_generation(receipt);
        auto const end = co_await run("discard", std::move(variables), std::string_view());
        // What is not there is forgotten.
        if (!end && end.error().code() != errc::not_found) co_return end.error();
        co_return Result<void>();
    }

    boost::asio::awaitable<Result<sinks::SinkContents>> contents() override {
        auto variables = Variables();
        auto const end = co_await run("contents", std::move(variables), std::string_view());
        if (!end) co_return end.error();
        auto found = contents_of(end->output.expose());
        if (!found) co_return bad_output("contents", found.error().what());
        co_return found;
    }

    [[nodiscard]] sinks::SinkCapabilities capabilities() const noexcept override {
        sinks::SinkCapabilities capabilities;
        capabilities.readable = !options_.write_only();
        return capabilities;
    }

private:
    // What every text is redacted with from now on.
    void know(std::string_view value) {
        std::lock_guard const lock(mutex_);
        known_.add(detail::KnownSecrets::Kind::provided, value);
    }

    [[nodiscard]] std::string redacted(std::string_view text) {
        std::lock_guard const lock(mutex_);
        constexpr auto most = detail::max_shown_bytes;
        return detail::one_line(detail::redacted(text, known_, most), most);
    }

    [[nodiscard]] Error error(errc code, const std::string& verb, const std::string& what) const {
        return Error(code, files::shown(argv_[0]) + ' ' + verb + ": " + what);
    }

    // The output may hold a value that nobody knows, so nothing of it is quoted.
    [[nodiscard]] Error bad_output(const char* verb, const std::string& what) const {
        return error(errc::bad_value, verb, what);
    }

    static Result<sinks::SinkContents> contents_of(std::string_view text) {
        auto const object = json_object(text);
        if (!object) return object.error();
        sinks::SinkContents contents;
        struct Place {
            const char* name;
            std::optional<sinks::Receipt>* receipt;
        };
        for (auto const& [name, receipt] :
             {Place{"current", &contents.current}, Place{"pending", &contents.pending},
              Place{"previous", &contents.previous}}) {
            auto const found = object_field(*object, name);
            if (!found) return found.error();
            if (!*found) continue;
            auto read = receipt_of(**found);
            if (!read) return Error(errc::bad_value, std::string(name) + ": " + read.error().what());
            *receipt = *std::move(read);
        }
        return contents;
    }

    boost::asio::awaitable<Result<ProgramEnd>> run(std::string verb, Variables variables,
                                                   std::string_view input) {
        // The system would end the text there, and the program would be told of another value.
        for (auto const& [name, value] : variables)
            if (has_nul(value)) co_return error(errc::invalid_argument, verb, "an id of the value has a NUL");
        variables["PALETTE_SINK_VERB"] = verb;
        // What is there already stays, here and below: an option cannot replace a variable of the contract.
        for (auto const& [name, value] : options_.environment())
            variables.emplace(name, value);
        variables.merge(base_environment());

        ProgramCall call;
        call.argv = argv_;
        // A view: the secret of the caller outlives the run.
        call.input = input;
        call.timeout = timeout_;
        for (auto const& [name, value] : variables)
            call.environment.emplace_back(name).append("=").append(value);
        auto end = co_await run_program(std::move(call));
        if (!end) co_return error(end.error().code(), verb, end.error().what()).cause(end.error().cause());
        // Also of a run that has failed: its words may quote the value.
        if (verb == "read") know(end->output.expose());
        auto fault = error_of(*end, verb);
        if (fault) co_return *std::move(fault);
        co_return end;
    }

    std::optional<Error> error_of(const ProgramEnd& end, const std::string& verb) {
        using How = processes::End::How;
        using Killed = ProgramEnd::Killed;
        // A program that was stopped in a change may have made it.
        auto const changes = verb != "read" && verb != "contents";
        auto const effect = changes ? Effect::unknown : Effect::not_applied;
        auto const status = end.end.number;
        if (end.killed == Killed::by_timeout)
            return error(errc::system, verb,
                         "it was killed after " + std::to_string(timeout_.count()) + " ms" +
                             said_in(end.errors))
                .effect(effect);
        if (end.killed == Killed::by_cancellation)
            return error(errc::operation_aborted, verb, "it was killed, for the call was cancelled")
                .effect(effect);
        if (end.killed == Killed::for_its_output)
            return error(errc::system, verb, "it was killed, for its standard output is larger than 64 KiB")
                .effect(effect);
        // The program may have ended well, and nobody can tell any more.
        if (end.end.how == How::lost)
            return error(errc::system, verb,
                         "its status is lost: this process ignores SIGCHLD, or waits for children of others")
                .effect(effect);
        if (end.end.how == How::signalled)
            return error(errc::system, verb,
                         "it was killed by signal " + std::to_string(status) + said_in(end.errors))
                .effect(effect);
        if (status == 0) return std::nullopt;
        auto const code = code_of(status, verb);
        // With these two the program promises that it has changed nothing.
        auto const refuses = code == errc::conflict || code == errc::not_found;
        return error(code, verb, "it ended with status " + std::to_string(status) + said_in(end.errors))
            .effect(refuses ? Effect::not_applied : effect);
    }

    // A verb that cannot meet what a status says has it from a tool that failed, whose own statuses mean
    // something else.
    static errc code_of(int status, const std::string& verb) {
        auto const is_of_current = verb == "promote" || verb == "discard";
        if (status == status_conflict && is_of_current) return errc::conflict;
        if (status == status_not_found && (is_of_current || verb == "read")) return errc::not_found;
        return status == status_unavailable ? errc::unavailable : errc::system;
    }

    std::string said_in(const Secret& errors) {
        auto const line = last_line(errors.expose());
        return line.empty() ? std::string() : ": " + redacted(line);
    }

    std::vector<std::string> argv_;
    const sinks::CommandOptions options_;
    const std::chrono::milliseconds timeout_;  // added to the clock, which it must not overflow
    std::mutex mutex_;                         // of what is known: rotations may share the sink
    detail::KnownSecrets known_;
};

// Thrown where the sink is made: a program that cannot rotate learns that at its start.
inline void check_command(const std::vector<std::string>& argv, const sinks::CommandOptions& options) {
    auto const refuse = [](const char* what) {
        detail::throw_exception(Error(errc::invalid_argument, std::string("command_sink: ") + what));
    };
    if (argv.empty() || argv[0].empty()) refuse("there is no program to run");
    if (std::ranges::any_of(argv, has_nul)) refuse("an argument has a NUL");
    if (options.timeout().count() <= 0) refuse("the time-out is not positive");
    for (auto const& [name, value] : options.environment())
        if (name.empty() || has_nul(name) || has_nul(value) || name.find('=') != std::string::npos)
            refuse("the name of a variable is empty or has a '=', or there is a NUL");
}

}  // namespace impl::lifecycle

namespace lifecycle {

PALETTE_KEYS_INLINE std::shared_ptr<SecretSink> command_sink(std::vector<std::string> argv,
                                                             CommandOptions options) {
    impl::lifecycle::check_command(argv, options);
    return std::make_shared<impl::lifecycle::CommandSink>(std::move(argv), std::move(options));
}

}  // namespace lifecycle
}  // namespace palette::inline PALETTE_KEYS_ABI
