// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/sinks/program_run.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <memory>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle {

// A program that runs, and what waits for it, all on one strand. What waits holds the object.
class ProgramRun : public std::enable_shared_from_this<ProgramRun> {
public:
    using Executor = boost::asio::any_io_executor;

    ProgramRun(const Executor& strand, processes::Child child, const ProgramCall& call)
        : child_(std::move(child)),
          rest_of_input_(call.input),
          input_(strand),
          output_(strand),
          errors_(strand),
          timeout_(strand, call.timeout),
          poll_(strand),
          done_(strand, boost::asio::steady_timer::time_point::max()) {
        hand_over(child_.input, input_);
        hand_over(child_.output, output_);
        hand_over(child_.errors, errors_);
        if (child_.end) hand_over(child_.end, end_.emplace(strand));
    }

    void start() {
        timeout_.async_wait([self = shared_from_this()](boost::system::error_code fault) {
            if (!fault) self->kill(ProgramEnd::Killed::by_timeout);
        });
        write_input();
        read_output();
        read_errors();
        wait_for_end();
    }

    void kill(ProgramEnd::Killed why) {
        // A program that has ended, and of which that is not noticed yet, was not killed by us.
        if (has_ended_ || child_.has_ended()) return;
        if (result_.killed == ProgramEnd::Killed::no) result_.killed = why;
        child_.kill();
    }

    // Rings when the program has ended, by being cancelled.
    [[nodiscard]] boost::asio::steady_timer& done() noexcept { return done_; }
    [[nodiscard]] bool has_ended() const noexcept { return has_ended_; }
    [[nodiscard]] ProgramEnd& result() noexcept { return result_; }

private:
    using Stream = boost::asio::posix::stream_descriptor;
    using Progress = processes::Progress;

    // Closed by its first owner if the second one cannot take it.
    static void hand_over(files::Descriptor& from, Stream& to) {
        to.assign(from.number());
        static_cast<void>(from.release());
    }

    void write_input() {
        // The pipe is waited for, and written by hand: a write of Asio raises SIGPIPE where the program has
        // closed its input.
        input_.async_wait(Stream::wait_write, [self = shared_from_this()](boost::system::error_code fault) {
            if (fault || self->has_ended_) return;
            auto const progress =
                processes::write_available(self->input_.native_handle(), self->rest_of_input_);
            // The program sees the end of its input. One that closes it early says by its status what it is.
            if (progress != Progress::waits) return self->input_.close();
            self->write_input();
        });
    }

    void read_output() {
        output_.async_wait(Stream::wait_read, [self = shared_from_this()](boost::system::error_code fault) {
            if (!fault && !self->has_ended_ && self->take_output()) self->read_output();
        });
    }

    // Whether there may be more.
    bool take_output() {
        auto const progress =
            processes::read_available(output_.native_handle(), result_.output, max_program_output);
        if (progress == Progress::excess) kill(ProgramEnd::Killed::for_its_output);
        return progress == Progress::waits;
    }

    void read_errors() {
        errors_.async_wait(Stream::wait_read, [self = shared_from_this()](boost::system::error_code fault) {
            if (!fault && !self->has_ended_ && self->take_errors()) self->read_errors();
        });
    }

    // Forgets the first of what is said, and leaves the rest for the next time, so that one that says much
    // does not keep this thread.
    bool take_errors() {
        auto& text = result_.errors;
        auto const progress =
            processes::read_available(errors_.native_handle(), text, 2 * max_program_errors);
        if (progress == Progress::excess)
            text = Secret(text.expose().substr(text.size() - max_program_errors));
        return progress != Progress::ended;
    }

    void wait_for_end() {
        auto look = [self = shared_from_this()](boost::system::error_code fault) {
            if (fault || self->has_ended_) return;
            if (self->child_.has_ended()) return self->finish();
            self->wait_for_end();
        };
        // Linux before 5.3 has no descriptor to wait for, and SIGCHLD belongs to the program that uses this
        // library.
        if (end_) return end_->async_wait(Stream::wait_read, std::move(look));
        poll_.expires_after(std::chrono::milliseconds{5});
        poll_.async_wait(std::move(look));
    }

    void finish() {
        // What the program has said is in the pipes by now. A child of its own that still holds them is not
        // waited for.
        if (output_.is_open()) take_output();
        // Eight times 8 KiB are what a pipe holds. More comes from a child that goes on writing.
        if (errors_.is_open())
            for (int rounds = 0; rounds < 8 && take_errors() && result_.errors.size() == max_program_errors;)
                ++rounds;
        // Before the end of the program is taken: from then on the id of its group may be that of another.
        child_.kill();
        result_.end = child_.reap();
        has_ended_ = true;
        timeout_.cancel();
        // Each wait holds this object, and closing its stream ends it.
        for (auto* const stream : {&input_, &output_, &errors_})
            if (stream->is_open()) stream->close();
        // A time in the past also ends a wait that begins later, which a cancel() would miss.
        done_.expires_at(boost::asio::steady_timer::time_point::min());
    }

    processes::Child child_;
    ProgramEnd result_;
    std::string_view rest_of_input_;
    Stream input_, output_, errors_;
    std::optional<Stream> end_;
    boost::asio::steady_timer timeout_;
    boost::asio::steady_timer poll_;
    boost::asio::steady_timer done_;
    bool has_ended_ = false;
};

// On the strand of the run. A cancellation kills the program, whose end it waits for all the same: the wait
// has a slot of its own, and the coroutine's is free.
inline boost::asio::awaitable<void> wait_for_end(std::shared_ptr<ProgramRun> run) {
    namespace asio = boost::asio;
    auto const executor = co_await asio::this_coro::executor;
    co_await asio::this_coro::throw_if_cancelled(false);
    auto state = co_await asio::this_coro::cancellation_state;
    run->start();
    // The cancellation may have come while the coroutine was on its way to the strand.
    if (state.cancelled() != asio::cancellation_type::none) run->kill(ProgramEnd::Killed::by_cancellation);
    // The signal is emitted on the executor of the caller, and the run is on a strand of its own.
    if (state.slot().is_connected())
        state.slot().assign([executor, weak = std::weak_ptr(run)](asio::cancellation_type) {
            asio::post(executor, [weak] {
                if (auto const held = weak.lock()) held->kill(ProgramEnd::Killed::by_cancellation);
            });
        });
    asio::cancellation_signal never;
    auto token = asio::bind_cancellation_slot(never.slot(), asio::as_tuple(asio::use_awaitable));
    co_await run->done().async_wait(std::move(token));
    if (state.slot().is_connected()) state.slot().clear();
}

PALETTE_KEYS_INLINE boost::asio::awaitable<Result<ProgramEnd>> run_program(ProgramCall call) {
    namespace asio = boost::asio;
    auto const state = co_await asio::this_coro::cancellation_state;
    if (state.cancelled() != asio::cancellation_type::none) co_return Error(errc::operation_aborted);
    auto const executor = co_await asio::this_coro::executor;
    auto child = processes::Child::start(call.argv, call.environment);
    if (!child) co_return child.error();
    // The caller's executor may be a pool of threads, and several waits share the run.
    asio::any_io_executor const strand = asio::make_strand(executor);
    auto const run = std::make_shared<ProgramRun>(strand, *std::move(child), call);
    auto waiting = wait_for_end(run);
    co_await asio::co_spawn(strand, std::move(waiting), asio::use_awaitable);
    co_return std::move(run->result());
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle
