// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/lifecycle/secret_sink.hpp>
#include <palette/secret.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::testing::crash {

// Lines in memory that forked processes share: one that a process has written is there after its death. At
// most one process writes at a time.
class Notes {
public:
    Notes() : page_(map()) {}

    void add(std::string_view line) {
        if (line.size() + 1 > page_->text.size() - page_->size) return;  // the first ones say enough
        page_->size += line.copy(page_->text.data() + page_->size, line.size());
        page_->text[page_->size++] = '\n';
    }
    [[nodiscard]] std::vector<std::string> lines() const {
        std::istringstream text(std::string(page_->text.data(), page_->size));
        std::vector<std::string> lines;
        for (std::string line; std::getline(text, line);)
            lines.push_back(line);
        return lines;
    }
    [[nodiscard]] bool has(const std::string& line) const {
        auto const all = lines();
        return std::ranges::find(all, line) != all.end();
    }
    void clear() noexcept { page_->size = 0; }

private:
    // All zero at first.
    struct Page {
        std::size_t size;
        std::array<char, 16'000> text;
    };

    static std::shared_ptr<Page> map() {
        auto* const memory =
            ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "mmap");
        return {static_cast<Page*>(memory), [](Page* page) { ::munmap(page, sizeof(Page)); }};
    }

    std::shared_ptr<Page> page_;
};

// What the processes of a cell leave to those that check it.
struct Testimony {
    Notes faults;  // what a run has done and must not do
    Notes hooks;   // the uid of each key after whose promotion the hook has succeeded
};

// Watches the run of one process. What is about to be done is in the record before, and no key is promoted,
// and none revoked, before its successor was used twice with the value that consumers read.
class Witness {
public:
    using Receipt = lifecycle::Receipt;

    Witness(std::shared_ptr<Testimony> testimony, bool is_readable)
        : testimony_(std::move(testimony)),
          is_readable_(is_readable) {}

    // The record as it is in the store.
    void saw_record(std::string text) { record_ = std::move(text); }
    void saw_contents(const lifecycle::SinkContents& contents) { contents_ = contents; }
    void saw_value(const Receipt& receipt, const Secret& value) {
        values_.emplace_back(receipt.generation, Secret(value.expose()));
    }
    // What the service has answered to a create.
    void saw_created(const std::string& answer) { created_.emplace_back(answer); }
    [[nodiscard]] bool was_told(const std::string& uid) const {
        return std::ranges::any_of(created_, [&](const Secret& answer) {
            return answer.expose().find(uid) != std::string_view::npos;
        });
    }

    // The service has accepted that value.
    void saw_use(const Secret& value) { uses_.emplace_back(value.expose()); }
    [[nodiscard]] std::ptrdiff_t uses_of(const Secret& value) const {
        return std::ranges::count(uses_, value);
    }

    void stages(const std::string& uid) {
        if (!is_recorded(uid)) note("the value of key " + uid + " is stored before the record names the key");
    }
    void promotes(const Receipt& receipt) {
        if (!is_recorded(receipt.key_uid))
            note("key " + receipt.key_uid + " is promoted before the record names it");
        if (!is_proved(receipt))
            note("key " + receipt.key_uid + " is promoted before it was used twice in this run");
        // The revocation needs a proof of its own, however short the overlap.
        uses_.clear();
    }
    void promoted(const Receipt& receipt) { contents_.current = receipt; }
    void revokes(const std::string& uid) {
        if (!is_recorded(uid)) note("key " + uid + " is revoked before the record names it");
        if (!contents_.current) return note("key " + uid + " is revoked, and the sink has no current value");
        auto const& successor = *contents_.current;
        // A value that cannot be read is in no process but the one that created the key.
        if (is_readable_ && !is_proved(successor))
            note("key " + uid + " is revoked before its successor was used twice in this run");
        if (!testimony_->hooks.has(successor.key_uid))
            note("key " + uid + " is revoked before the hook has succeeded");
        // The proof after a revocation has to be a new one.
        uses_.clear();
        has_revoked_ = true;
    }
    void hook_succeeded(const std::string& uid) { testimony_->hooks.add(uid); }

    // The run has ended, and nothing has failed.
    void ended_well() {
        if (has_revoked_ && is_readable_ && contents_.current && !is_proved(*contents_.current))
            note("key " + contents_.current->key_uid +
                 " was not used again after its predecessor was revoked");
    }

private:
    void note(const std::string& what) { testimony_->faults.add(what); }
    [[nodiscard]] bool is_recorded(const std::string& uid) const {
        // Anywhere in the text: the witness depends on no form of a record.
        return record_.find(uid) != std::string::npos;
    }
    [[nodiscard]] bool is_proved(const Receipt& receipt) const {
        return std::ranges::any_of(values_, [&](auto const& value) {
            return value.first == receipt.generation && uses_of(value.second) >= 2;
        });
    }

    std::shared_ptr<Testimony> testimony_;
    bool is_readable_;
    std::string record_;
    lifecycle::SinkContents contents_;
    std::vector<std::pair<std::uint64_t, Secret>> values_;  // by generation
    // Secret, for the answer to a create has the value of the key.
    std::vector<Secret> created_;
    std::vector<Secret> uses_;  // since the last promotion or revocation
    bool has_revoked_ = false;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::testing::crash
