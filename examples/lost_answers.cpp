// SPDX-License-Identifier: BSL-1.0
//
// What becomes of a create whose answer is lost on its way. The key that it made is found and deleted, and
// another one asked for. Where it is not found, since it comes to be later still, what is known of it is
// written down, and cleaned up when there is time.
//
// Run it: lost_answers. It always talks to an emulator of its own, which loses answers on command.
#include <palette/api_keys.hpp>
#include <palette/testing/emulator.hpp>

#include <chrono>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using std::chrono::milliseconds;

void found_and_made_anew(palette::BlockingApiKeyClient& client, palette::testing::Emulator& emulator) {
    emulator.faults().add("POST /v1/apiKeys drop-after x1");
    auto const created = client.create(palette::NewApiKey("nightly"));
    if (!created) throw palette::Exception(created.error());
    auto const keys = client.find("nightly");
    std::cout << "the answer was lost, and all is well: " << keys.value().size() << " key of that name, "
              << created->uid() << ", and its value is here\n";
}

// What a program would keep in a file or a database.
std::string written_down_when_unseen(palette::BlockingApiKeyClient& client,
                                     palette::testing::Emulator& emulator) {
    emulator.faults().add("POST /v1/apiKeys apply-late:400 x1");
    auto const created = client.create(palette::NewApiKey("weekly"));
    if (created || !created.error().pending()) throw std::runtime_error("it should not have been seen");
    std::cout << "not seen in time: " << created.error().message() << '\n';
    auto line = created.error().pending()->to_text();
    std::cout << "kept: " << line << '\n';
    return line;
}

void cleaned_up(palette::BlockingApiKeyClient& client, const std::string& line) {
    auto const pending = palette::PendingCreate::parse(line).value();
    for (;;) {
        auto const done = client.reconcile(pending);
        if (!done) throw palette::Exception(done.error());
        for (auto const& uid : done->removed())
            std::cout << "it came to be after all, and was deleted: " << uid << '\n';
        if (!done->removed().empty()) return;
        std::this_thread::sleep_for(milliseconds{100});  // a program would come back in an hour
    }
}

}  // namespace

int main() try {
    palette::testing::Emulator emulator;
    auto options = emulator.client_options(palette::testing::Role::tenant_admin);
    options.retry.settle_time = milliseconds{200};
    palette::BlockingApiKeyClient client(options);
    found_and_made_anew(client, emulator);
    cleaned_up(client, written_down_when_unseen(client, emulator));
} catch (const std::exception& e) {
    std::cerr << "lost_answers: " << e.what() << '\n';
    return 1;
}
