// SPDX-License-Identifier: BSL-1.0
//
// A create that survives kill -9: wherever the program is killed, the next run either has the key whose value
// was stored, or cleans up what the create has left and makes another. docs/retries.md, "A create that
// survives kill -9", says why it is done in this order; the steps below are those of that page. To use it,
// change wanted_name and wanted_key(), leave out the first #include, and shorten main() as it says.
//
// Run it: create_survives_kill [DIRECTORY [--for=E-MAIL | --retry-when-unseen | --clean-up]]. With --for= the
// key is that user's. With --clean-up it creates nothing: run it so an hour and a day after a run that was
// killed. A directory serves one key: a run for another user is refused, and so is one that finds the value
// taken, for whoever has it may use it. With PALETTE_HOST and PALETTE_API_KEY set it talks to that service,
// DIRECTORY is an absolute path, and the key stays: its value is in DIRECTORY/value.key. Without, it talks to
// an emulator of its own, needs a DIRECTORY that does not exist, and removes it again.
#include "service.hpp"

#include <palette/api_keys.hpp>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace {

namespace fs = std::filesystem;

// The name of the file for the value.
constexpr auto wanted_name = "value.key";

// Whom the key is for: an e-mail address; empty: the caller.
std::string owner_in(std::string_view option) {
    constexpr std::string_view for_user = "--for=";
    return std::string(option.starts_with(for_user) ? option.substr(for_user.size()) : "");
}

// The key, of the caller or of that user, whom the record names then.
palette::NewApiKey wanted_key(palette::BlockingApiKeyClient& client, const std::string& owner) {
    palette::NewApiKey key("example-survivor");
    if (owner.empty()) return key;
    auto const user = client.find_user(owner).value();
    if (!user.is_active) throw std::runtime_error("this user is not active");
    key.for_user(user.uid);
    return key;
}

[[noreturn]] void fail(const std::string& what) {
    throw std::system_error(errno, std::generic_category(), what);
}

std::string content_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

// Step 0: held for the whole run, and released by the system however the program ends. The record of a create
// covers the key whose value is about to be stored: to another run it would look like the remains of a killed
// one. Waits for another run to end.
class LockedDirectory {
public:
    explicit LockedDirectory(const fs::path& path)
        : path_(path),
          descriptor_(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
        int done = descriptor_ < 0 ? -1 : ::flock(descriptor_, LOCK_EX);
        while (done != 0 && descriptor_ >= 0 && errno == EINTR)
            done = ::flock(descriptor_, LOCK_EX);
        if (done != 0) fail("cannot lock " + path.string());
    }
    LockedDirectory(const LockedDirectory&) = delete;
    LockedDirectory& operator=(const LockedDirectory&) = delete;
    ~LockedDirectory() { ::close(descriptor_); }

    [[nodiscard]] const fs::path& path() const noexcept { return path_; }

    // What was removed is not on the disk any more when it returns.
    void sync() const {
        if (::fsync(descriptor_) != 0) fail("cannot write " + path_.string());
    }

private:
    fs::path path_;
    int descriptor_;
};

// The file that is wanted, and five more, each there as a whole or not at all:
//
//     value.key      the value, handed over to whoever wants it
//     value.for      whom it is for, from the first create on
//     value.nonce    the nonce of its key, from before value.key is there, and after it was taken
//     NONCE.record   before the create: whose keys with this nonce are to be cleaned up
//     NONCE.left     after a create that asked more than once: CreatedApiKey::pending()
//     NONCE.key      the value. Once it is there, the key is kept
class Files {
public:
    explicit Files(const LockedDirectory& directory) : directory_(directory) {}

    [[nodiscard]] fs::path wanted() const { return directory_.path() / wanted_name; }

    // The files of a create have no owner's name, so that a directory is for one owner.
    void check_owner(const std::string& owner) const {
        auto const noted = content_of(note_of_owner());
        if (!noted.empty() && noted != in_words(owner))
            throw std::runtime_error(directory_.path().string() + " is for a key of " + noted +
                                     ": take another directory");
    }
    void note_owner(const std::string& owner) const {
        palette::write_secret_file(note_of_owner(), palette::Secret(in_words(owner))).value();
    }

    [[nodiscard]] fs::path file(const std::string& nonce, const char* kind) const {
        return directory_.path() / (nonce + '.' + kind);
    }

    // On the disk when it returns, as write_secret_file() writes.
    [[nodiscard]] palette::Result<void> write(const palette::PendingCreate& pending, const char* kind) const {
        return palette::write_secret_file(file(pending.nonce(), kind), palette::Secret(pending.to_text()));
    }

    // The nonces of which there is such a file.
    [[nodiscard]] std::vector<std::string> nonces(const char* kind) const {
        std::vector<std::string> found;
        for (auto const& entry : fs::directory_iterator(directory_.path())) {
            auto const stem = entry.path().stem().string();
            bool const is_nonce =
                stem.size() == 32 && stem.find_first_not_of("0123456789abcdef") == std::string::npos;
            if (is_nonce && entry.path().filename() == stem + '.' + kind) found.push_back(stem);
        }
        return found;
    }

    // Has the nonce of the key whose value was handed over; absent if none was.
    [[nodiscard]] fs::path note_of_nonce() const { return directory_.path() / "value.nonce"; }

    // Step 4. While the record may be on the disk, the value has to be there under the name of the nonce:
    // without it, the record has the key deleted. Where it fails, the program ends: another create would make
    // a second value for the same name.
    void give_wanted_name(const std::string& nonce) const {
        fs::remove(file(nonce, "record"));
        directory_.sync();
        auto const key = file(nonce, "key");
        // Before somebody can take the value.
        if (!fs::exists(wanted()))
            palette::write_secret_file(note_of_nonce(), palette::Secret(nonce)).value();
        if (::renameat2(AT_FDCWD, key.c_str(), AT_FDCWD, wanted().c_str(), RENAME_NOREPLACE) != 0)
            fail("the value stays in " + key.string() + ", for it cannot become " + wanted().string());
    }

    // What write_secret_file() was killed at; one may hold a value.
    void remove_unfinished() const {
        std::vector<fs::path> unfinished;
        for (auto const& entry : fs::directory_iterator(directory_.path()))
            if (entry.path().filename().string().starts_with(".palette-key."))
                unfinished.push_back(entry.path());
        for (auto const& file : unfinished)
            fs::remove(file);
    }

private:
    [[nodiscard]] fs::path note_of_owner() const { return directory_.path() / "value.for"; }
    static std::string in_words(const std::string& owner) { return owner.empty() ? "the caller" : owner; }

    const LockedDirectory& directory_;
};

// A request that was sent may be applied late, so a file is looked at for a day.
bool is_old(const fs::path& file) {
    return fs::file_time_type::clock::now() - fs::last_write_time(file) > std::chrono::hours{25};
}

// Whether the service is seen to keep annotations. Where it does not, no key is found by its mark.
bool keeps_marks(palette::BlockingApiKeyClient& client) {
    auto const keys = client.list().value();
    return std::ranges::any_of(
        keys, [](auto const& key) { return key.annotations.contains("palette-keys-create"); });
}

// Whether the service has deleted all that it found.
bool reconcile(palette::BlockingApiKeyClient& client, const palette::PendingCreate& pending) {
    auto const done = client.reconcile(pending).value();
    for (auto const& uid : done.removed())
        std::cout << "removed " << uid << ", whose value nobody has\n";
    for (auto const& uid : done.not_removed())
        std::cout << "the service refuses to delete " << uid << ", whose value nobody has\n";
    return done.not_removed().empty();
}

void reconcile_file(palette::BlockingApiKeyClient& client, const fs::path& file) {
    auto const pending = palette::PendingCreate::parse(content_of(file)).value();
    if (!reconcile(client, pending) || !is_old(file)) return;
    if (keeps_marks(client))
        fs::remove(file);
    else
        std::cout << file.string() << " stays: the service may drop annotations. Look for keys of the name "
                  << pending.name() << " whose value nobody has, and delete them and the file\n";
}

// Whether it could be done for all of them.
bool reconcile_files(palette::BlockingApiKeyClient& client, const Files& files) {
    bool is_done = true;
    for (auto const* const kind : {"record", "left"}) {
        for (auto const& nonce : files.nonces(kind)) {
            auto const file = files.file(nonce, kind);
            try {
                reconcile_file(client, file);
            } catch (const palette::Exception& e) {  // the file stays: the next run looks again
                std::cerr << file.string() << ": " << e.error() << '\n';
                is_done = false;
            }
        }
    }
    return is_done;
}

// Step 5: what earlier runs have left, wherever they were killed. Whether all of it could be looked at.
bool clean_up(palette::BlockingApiKeyClient& client, const Files& files) {
    for (auto const& nonce : files.nonces("key"))
        files.give_wanted_name(nonce);
    auto const is_done = reconcile_files(client, files);
    files.remove_unfinished();
    return is_done;
}

// Step 3: first what must go and then what must stay. Killed in between, all of it goes.
palette::Result<void> store(const Files& files, const palette::CreatedApiKey& created,
                            const std::string& nonce) {
    if (created.pending())
        if (auto noted = files.write(*created.pending(), "left"); !noted) return noted;
    return palette::write_secret_file(files.file(nonce, "key"), created.secret());
}

void create(palette::BlockingApiKeyClient& client, const Files& files, std::string_view option) {
    // Step 1.
    auto const me = client.whoami().value();
    auto const nonce = palette::PendingCreate::make_nonce();
    auto const key = wanted_key(client, owner_in(option));
    files.note_owner(owner_in(option));
    auto const record = palette::PendingCreate::of_nonce(nonce, key, me).value();
    files.write(record, "record").value();

    // Step 2.
    auto const created = client.create(
        key, palette::CreateOptions().nonce(nonce).retry_when_unseen(option == "--retry-when-unseen"));
    if (!created) {
        // Whatever it may have made, the record names it: nothing more is to be written down here.
        if (created.error().effect() == palette::Effect::not_applied) fs::remove(files.file(nonce, "record"));
        throw palette::Exception(created.error());
    }

    auto const stored = store(files, *created, nonce);
    if (!stored) {
        std::cerr << "the new key may be left, for its value was not stored: make room, and run again\n";
        // Nobody has the value, unless its file is there all the same: then the next run goes on with it.
        if (stored.error().effect() == palette::Effect::not_applied) reconcile(client, record);
        throw std::runtime_error(std::string(stored.error().what()));
    }
    files.give_wanted_name(nonce);

    // Once more: this client has seen now whether the service keeps annotations.
    reconcile_files(client, files);
}

// The key of that create, as far as a list shows it.
std::string key_of(palette::BlockingApiKeyClient& client, const std::string& nonce) {
    if (auto const keys = client.list())
        for (auto const& key : *keys)
            if (auto const mark = key.annotations.find("palette-keys-create");
                mark != key.annotations.end() && mark->second.starts_with(nonce))
                return "the key " + key.uid;
    return "the key whose annotation palette-keys-create begins with " + nonce;
}

// Step 6. Throws where the value was there and is not: whoever has taken it may use it.
bool has_value(palette::BlockingApiKeyClient& client, const Files& files) {
    auto const wanted = files.wanted();
    auto const is_there = fs::exists(wanted);
    if (is_there && !fs::is_empty(wanted)) return true;
    auto const nonce = content_of(files.note_of_nonce());
    if (!nonce.empty())
        throw std::runtime_error("the value of " + key_of(client, nonce) + " was in " + wanted.string() +
                                 ", and was taken: put it back; or, to make another key, delete that key, " +
                                 wanted.string() + " and " + files.note_of_nonce().string());
    if (is_there) throw std::runtime_error(wanted.string() + " is empty: delete it to make a key");
    return false;
}

int run(const palette::ClientOptions& options, const fs::path& path, std::string_view option) {
    if (!path.is_absolute())
        throw std::runtime_error(path.string() +
                                 " is no absolute path: from elsewhere it would be another key's directory");
    if (fs::create_directories(path)) fs::permissions(path, fs::perms::owner_all);
    if ((fs::status(path).permissions() & (fs::perms::group_write | fs::perms::others_write)) !=
        fs::perms::none)
        throw std::runtime_error(path.string() + " may be written by others");
    auto const owner = owner_in(option);
    // A word that is not known may have been meant for another key.
    if (!option.empty() && owner.empty() && option != "--clean-up" && option != "--retry-when-unseen")
        throw std::runtime_error("unknown option " + std::string(option));
    LockedDirectory const directory(path);
    Files const files(directory);
    palette::BlockingApiKeyClient client(options);
    auto const is_clean = clean_up(client, files);
    if (option != "--clean-up") {
        files.check_owner(owner);
        if (!has_value(client, files)) create(client, files, option);
        std::cout << "the value of the key" << (owner.empty() ? "" : " for " + owner) << " is in "
                  << files.wanted().string() << '\n';
    }
    if (!files.nonces("record").empty() || !files.nonces("left").empty())
        std::cout << "a request without an answer may make a key late: run with --clean-up in an hour, and "
                     "in a day\n";
    return is_clean || option != "--clean-up" ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) try {
    fs::path const path = argc > 1 ? argv[1] : "example-survivor";
    std::string_view const option = argc > 2 ? argv[2] : "";
    // A copy has one line here, in place of all that follow:
    // return run(palette::ClientOptions::from_environment().value(), path, option);
    example::Service const service;
    if (service.is_real()) return run(service.options(), path, option);
    // It may hold the value of a real key, from a run whose environment was complete.
    if (!fs::create_directories(path))
        throw std::runtime_error(path.string() + " exists, and PALETTE_HOST and PALETTE_API_KEY are not set");
    auto const status = run(service.options(), fs::absolute(path), option);
    fs::remove_all(path);
    return status;
} catch (const std::exception& e) {
    std::cerr << "create_survives_kill: " << e.what() << '\n';
    return 1;
}
