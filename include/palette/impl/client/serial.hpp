// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/detail/config.hpp>
#include <palette/impl/values/insist.hpp>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/require.hpp>

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::client {

namespace asio = boost::asio;

// Runs functions one at a time and in their order, as asio::strand does. It differs in three ways.
//
// A Leaver is called when the Serial is left, by the thread that leaves. A completion needs no turn of the
// event loop of its own, and its handler may block, throw, or start operations.
//
// A function that was taken is run. Where the context has no memory for a turn, the Serial asks again; a
// strand that fails to ask once never runs again.
//
// SerialExecutor fits into an any_io_executor, which allocates a strand anew for every property asked of it.
class Serial : public std::enable_shared_from_this<Serial> {
public:
    // Called, once, outside of the Serial.
    class Leaver {
    public:
        virtual void on_left() = 0;
        // The same, in a turn of its own.
        virtual void on_left_later() noexcept = 0;

    protected:
        Leaver() = default;
        Leaver(const Leaver&) = default;
        Leaver& operator=(const Leaver&) = default;
        ~Leaver() = default;

    private:
        friend class Serial;
        std::shared_ptr<Leaver> next_;
    };

    // As long as one lives, this thread is in a function that a user calls to start an operation, and calls
    // no handlers: the user may hold a lock.
    class Starting {
    public:
        Starting() noexcept { ++starting_; }
        Starting(const Starting&) = delete;
        Starting& operator=(const Starting&) = delete;
        ~Starting() { --starting_; }
    };

    explicit Serial(const asio::any_io_executor& base)
        : turns_(asio::require(base, asio::execution::blocking_t::never)),
          base_(base) {
        if (auto const* const bare = base.target<asio::io_context::executor_type>()) context_.emplace(*bare);
    }
    Serial(const Serial&) = delete;
    Serial& operator=(const Serial&) = delete;
    ~Serial() { drop_all(); }

    [[nodiscard]] bool is_inside() const noexcept;

    // Calls `leaver` when the Serial is left. Precondition: is_inside().
    void when_left(std::shared_ptr<Leaver> leaver) noexcept;

    // `f`: called inside, but when nothing else is to be done there, after call_when_idle().
    void on_idle(std::function<void()> f) { on_idle_ = std::move(f); }
    // Returns whether it will be called: not outside, where it may be that nobody comes any more.
    bool call_when_idle() noexcept;

    // `now`: here and at once, if nobody is inside and that is allowed.
    template <class F>
    void execute(F&& f, bool now) {
        if (now && is_inside()) {
            std::decay_t<F> own(std::forward<F>(f));
            own();
            return;
        }
        if (now && context_ && context_->running_in_this_thread() && enter()) {
            auto const self = shared_from_this();
            std::decay_t<F> own(std::forward<F>(f));
            visit([&] { own(); });
            return;
        }
        add(std::make_unique<TaskOf<std::decay_t<F>>>(std::forward<F>(f)));
    }

    // Counts the executors that are work. Throws if the context cannot be told of the first one.
    void work_started();
    void work_finished() noexcept;
    // The same as work_started(), beside an executor that is work.
    void work_continues() noexcept { work_.fetch_add(1); }

    [[nodiscard]] asio::execution_context& context() const noexcept;

private:
    struct Task {
        Task() = default;
        Task(const Task&) = delete;
        Task& operator=(const Task&) = delete;
        virtual ~Task() = default;
        virtual void run(std::unique_ptr<Task> self) = 0;

        std::unique_ptr<Task> next;
    };

    template <class F>
    struct TaskOf final : Task {
        template <class G>
            requires(!std::is_same_v<std::remove_cvref_t<G>, TaskOf>)
        explicit TaskOf(G&& g) : f(std::forward<G>(g)) {}

        // Its memory is free again while the function runs.
        void run(std::unique_ptr<Task> self) override {
            F own(std::move(f));
            self.reset();
            own();
        }

        F f;
    };

    class Queue {
    public:
        [[nodiscard]] bool is_empty() const noexcept { return first_ == nullptr; }
        void push(std::unique_ptr<Task> task) noexcept {
            auto& end = first_ == nullptr ? first_ : last_->next;
            last_ = task.get();
            end = std::move(task);
        }
        std::unique_ptr<Task> pop() noexcept {
            auto task = std::move(first_);
            first_ = std::move(task->next);
            return task;
        }
        Queue take() noexcept { return std::exchange(*this, Queue()); }

    private:
        std::unique_ptr<Task> first_;
        Task* last_ = nullptr;
    };

    // A thread inside, from enter() to leave().
    class Visit {
    public:
        explicit Visit(Serial& serial) noexcept : serial_(serial), outer_(std::exchange(innermost_, this)) {}
        Visit(const Visit&) = delete;
        Visit& operator=(const Visit&) = delete;
        ~Visit() {
            innermost_ = outer_;
            serial_.leave();
        }

    private:
        friend class Serial;
        Serial& serial_;
        Visit* outer_;
    };

    // The turn that the context was asked for. A context that ends destroys it, as does one that finds no
    // memory for it, which is asked again.
    class Turn {
    public:
        explicit Turn(std::shared_ptr<Serial> serial) noexcept : serial_(std::move(serial)) {}
        Turn(Turn&&) = default;
        Turn(const Turn&) = delete;
        Turn& operator=(Turn&&) = delete;
        ~Turn();

        void operator()();

    private:
        std::shared_ptr<Serial> serial_;
    };

    // Whether nobody was inside, and the caller is now.
    bool enter() noexcept;

    template <class F>
    void visit(F f) {
        std::shared_ptr<Leaver> leavers;
        try {
            {
                Visit const inside(*this);
                f();
                leavers = in_order(std::move(leavers_));
            }
            if (starting_ > 0) call_later(std::exchange(leavers, nullptr));
            while (leavers) {
                auto const leaver = std::exchange(leavers, std::move(leavers->next_));
                leaver->on_left();
            }
        } catch (...) {
            call_later(std::move(leavers));
            be_idle();
            throw;
        }
        be_idle();
    }

    void be_idle();
    static std::shared_ptr<Leaver> in_order(std::shared_ptr<Leaver> last) noexcept;
    static void call_later(std::shared_ptr<Leaver> leavers) noexcept;
    void run_ready();
    void add(std::unique_ptr<Task> task) noexcept;
    void leave() noexcept;
    void ask() noexcept;
    void end() noexcept;
    void drop_all() noexcept;
    void keep_work();

    static inline thread_local Visit* innermost_ = nullptr;
    static inline thread_local int starting_ = 0;
    static inline thread_local const Serial* asking_ = nullptr;

    asio::any_io_executor turns_;  // base_, but never inline
    asio::any_io_executor base_;
    std::optional<asio::io_context::executor_type> context_;

    std::mutex mutex_;
    Queue waiting_;
    bool is_busy_ = false;  // somebody is inside, or a turn has been asked for
    bool has_ended_ = false;

    // Of who is inside.
    Queue ready_;
    std::shared_ptr<Leaver> leavers_;  // the last one first

    std::function<void()> on_idle_;
    std::atomic<bool> wants_idle_ = false;

    std::atomic<std::size_t> work_ = 0;
    std::mutex work_mutex_;
    std::optional<asio::any_io_executor> has_work_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::client

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/client/serial.ipp>
#endif
