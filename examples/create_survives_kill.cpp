// SPDX-License-Identifier: BSL-1.0
//
// A create that survives kill -9: wherever the program is killed, the next run either has the key whose value
// was kept, or cleans up what the create has left and makes another. docs/retries.md, "A create that survives
// kill -9", says why it is done in this order.
//
// Run it: create_survives_kill [DIRECTORY [--retry-when-unseen]]. With PALETTE_HOST and PALETTE_API_KEY set
// it talks to that service, and the key stays: its value is in DIRECTORY. Without, it talks to an emulator of
// its own, and what it wrote is removed again.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace {

namespace fs = std::filesystem;

constexpr auto key_name = "example-survivor";

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Held for the whole run, and released by the system however the program ends. The record of a create covers
// the key whose value is about to be kept: to another run it would look like the remains of a killed one.
class Lock {
public:
    explicit Lock(const fs::path& directory)
        : directory_(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        int done = directory_ < 0 ? -1 : ::flock(directory_, LOCK_EX);
        while (done != 0 && directory_ >= 0 && errno == EINTR)
            done = ::flock(directory_, LOCK_EX);
        if (done != 0)
            throw std::system_error(errno, std::generic_category(), "cannot lock " + directory.string());
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;
    ~Lock() { ::close(directory_); }

private:
    int directory_;
};

// Three files for a create, all named by its nonce and each there as a whole or not at all:
//
//     NONCE.record   before the create: whose keys with this nonce are to be cleaned up
//     NONCE.left     after a create that asked more than once: CreatedApiKey::pending()
//     NONCE.key      the value. Once it is there, the key is kept
class Notes {
public:
    explicit Notes(fs::path directory) : directory_(std::move(directory)) {
        fs::create_directories(directory_);
    }

    // Waits for another run to end.
    [[nodiscard]] Lock lock() const { return Lock(directory_); }

    [[nodiscard]] fs::path file(const std::string& nonce, const char* kind) const {
        return directory_ / (nonce + '.' + kind);
    }

    // On the disk when it returns, as write_secret_file() writes.
    void write(const palette::PendingCreate& pending, const char* kind) const {
        palette::write_secret_file(file(pending.nonce(), kind), palette::Secret(pending.to_text())).value();
    }

    [[nodiscard]] std::vector<fs::path> all(const char* kind) const {
        std::vector<fs::path> found;
        for (auto const& entry : fs::directory_iterator(directory_))
            if (entry.path().extension() == std::string(".") + kind) found.push_back(entry.path());
        return found;
    }

private:
    fs::path directory_;
};

// A request that was sent may be applied late. A note is kept for a day, and looked at whenever the program
// is started: at once, then, and again later.
bool is_old(const fs::path& note) {
    return fs::file_time_type::clock::now() - fs::last_write_time(note) > std::chrono::days{1};
}

void reconcile(palette::BlockingApiKeyClient& client, const fs::path& note) {
    auto const pending = palette::PendingCreate::parse(content_of(note)).value();
    auto const done = client.reconcile(pending);
    if (!done) throw palette::Exception(done.error());  // the note stays: the next run looks again
    for (auto const& uid : done->removed())
        std::cout << "removed " << uid << ", whose value nobody has\n";
    for (auto const& uid : done->not_removed())
        std::cout << "the service refuses to delete " << uid << ", whose value nobody has\n";
    if (done->not_removed().empty() && is_old(note)) fs::remove(note);
}

// What earlier runs have left, wherever they were killed.
void clean_up(palette::BlockingApiKeyClient& client, const Notes& notes) {
    for (auto const& record : notes.all("record")) {
        auto const nonce = record.stem().string();
        if (fs::exists(notes.file(nonce, "key")))
            fs::remove(record);  // killed after the value was kept: the record would delete its key
        else
            reconcile(client, record);
    }
    for (auto const& left : notes.all("left"))
        reconcile(client, left);
}

fs::path create(palette::BlockingApiKeyClient& client, const Notes& notes, bool retry_when_unseen) {
    auto const me = client.whoami().value();
    auto const nonce = palette::PendingCreate::make_nonce();
    auto const key = palette::NewApiKey(key_name);  // with for_user(), the record names that user
    notes.write(palette::PendingCreate::of_nonce(nonce, key, me).value(), "record");

    auto const created =
        client.create(key, palette::CreateOptions().nonce(nonce).retry_when_unseen(retry_when_unseen));
    if (!created) {
        // Whatever it may have made, the record names it: nothing more is to be written down here.
        if (created.error().effect() == palette::Effect::not_applied) fs::remove(notes.file(nonce, "record"));
        throw palette::Exception(created.error());
    }

    // First what must go and then what must stay: killed in between, all of it goes.
    if (created->pending()) notes.write(*created->pending(), "left");
    palette::write_secret_file(notes.file(nonce, "key"), created->secret()).value();
    fs::remove(notes.file(nonce, "record"));
    return notes.file(nonce, "key");
}

}  // namespace

int main(int argc, char** argv) try {
    example::Service const service;
    Notes const notes(argc > 1 ? argv[1] : "example-survivor");
    auto const lock = notes.lock();
    palette::BlockingApiKeyClient client(service.options());
    clean_up(client, notes);
    auto const keys = notes.all("key");
    bool const retry_when_unseen = argc > 2 && argv[2] == std::string_view("--retry-when-unseen");
    auto const key = keys.empty() ? create(client, notes, retry_when_unseen) : keys.front();
    std::cout << "the value of the key is in " << key.string() << '\n';
    if (!service.is_real()) fs::remove_all(key.parent_path());
} catch (const std::exception& e) {
    std::cerr << "create_survives_kill: " << e.what() << '\n';
    return 1;
}
