// SPDX-License-Identifier: BSL-1.0
// A program of somebody else's, that replaces a key.
#include <palette/blocking_client.hpp>
#include <palette/lifecycle/rotation.hpp>
#include <palette/lifecycle/rotator.hpp>
#include <palette/testing/emulator.hpp>
#include <palette/testing/memory_sink.hpp>

#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>

#include <stdlib.h>

namespace lifecycle = palette::lifecycle;

int main() {
    auto directory = (std::filesystem::temp_directory_path() / "palette-consumer-XXXXXX").string();
    if (::mkdtemp(directory.data()) == nullptr) return 1;
    palette::testing::Emulator const emulator;
    auto options = emulator.client_options(palette::testing::Role::user);
    auto const sink = std::make_shared<palette::testing::MemorySink>();
    lifecycle::Slot const slot("ci", sink, lifecycle::file_store(directory));

    palette::BlockingApiKeyClient client(options);
    auto const rotation = lifecycle::rotate(client, slot, lifecycle::RotateOptions().key_name("consumer"));
    std::filesystem::remove_all(directory);
    if (!rotation) std::cerr << rotation.error() << '\n';
    if (!rotation || rotation->outcome != lifecycle::Rotation::Outcome::completed) return 2;
    std::cout << *rotation << '\n';

    options.auth = lifecycle::sink_provider(sink);
    palette::BlockingApiKeyClient consumer(std::move(options));
    return consumer.whoami() && sink->current_value() ? 0 : 3;
}
