// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/lifecycle/rotation/rotation_machine.hpp>
#include <palette/impl/lifecycle/rotation/rotation_record.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>

// A service, a sink and a store that are a few lines of memory, for machines of rotations.
namespace rotation_world {

using namespace std::chrono_literals;
using namespace palette;
using impl::lifecycle::RotationMachine;
using impl::lifecycle::RotationRecord;
using impl::lifecycle::RotationStep;
using impl::lifecycle::StepFailure;
using lifecycle::Receipt;
using lifecycle::SinkContents;

inline constexpr Instant start = std::chrono::sys_days{2027y / 1 / 1};

struct Key {
    Instant created{};
    Expiry expiry;
    bool is_active = true;
    std::string nonce;
};

// What outlives a process.
struct World {
    Instant now = start;
    std::map<std::string, Key> keys;
    std::set<std::string> known_values;  // of keys that were staged
    SinkContents sink;
    std::optional<RotationRecord> disk;
    std::uint64_t version = 0;  // of the record, for those who compare it
    int keys_made = 0;
    int ids_drawn = 0;
    std::uint64_t generations = 0;
    std::chrono::milliseconds most_life = std::chrono::days{365};

    [[nodiscard]] std::string text() const {
        std::ostringstream out;
        for (auto const& [uid, key] : keys)
            out << uid << key.is_active << key.nonce << ';';
        out << sink << (disk ? impl::lifecycle::to_text(*disk) : "");
        return out.str();
    }
};

inline Identity caller() {
    Identity me;
    me.user_uid = "user";
    me.tenant_uid = "tenant";
    return me;
}

inline std::optional<ApiKey> find(const World& world, const std::string& uid) {
    auto const found = world.keys.find(uid);
    if (found == world.keys.end()) return std::nullopt;
    ApiKey key;
    key.uid = uid;
    key.name = "ci";
    key.owner.uid = "user";
    key.is_active = found->second.is_active;
    key.created = found->second.created;
    key.expiry = found->second.expiry;
    return key;
}

// Does the step's effect to the world. What it gives is told to the machine by say().
inline void do_effect(World& world, const RotationMachine& machine) {
    auto const& record = machine.record();
    switch (machine.next()) {
        case RotationStep::save:
            world.disk = record;
            break;
        case RotationStep::create: {
            Key key;
            key.created = world.now;
            key.expiry =
                Expiry::at(world.now + std::min<std::chrono::milliseconds>(30 * 24h, world.most_life));
            key.nonce = record.nonce;
            world.keys["key" + std::to_string(++world.keys_made)] = key;
            break;
        }
        case RotationStep::stage:
            world.sink.pending = Receipt(++world.generations, record.rotation_id, record.new_uid, Expiry());
            break;
        case RotationStep::promote:
            world.sink.previous = world.sink.current;
            world.sink.current = std::exchange(world.sink.pending, std::nullopt);
            break;
        case RotationStep::revoke:
            if (auto const old = world.keys.find(record.old_uid); old != world.keys.end())
                old->second.is_active = false;
            break;
        case RotationStep::reactivate:
            world.keys.at(record.old_uid).is_active = true;
            break;
        case RotationStep::remove_old:
            world.keys.erase(record.old_uid);
            break;
        case RotationStep::remove_new:
            world.keys.erase(record.new_uid);
            break;
        case RotationStep::drop_previous:
            world.sink.previous.reset();
            break;
        case RotationStep::discard:
        case RotationStep::discard_stale:
            world.sink.pending.reset();
            break;
        case RotationStep::clean: {
            auto const& left = machine.leftover();
            if (!left.uid.empty())
                world.keys.erase(left.uid);
            else
                std::erase_if(world.keys, [&](auto const& key) { return key.second.nonce == left.nonce; });
            break;
        }
        default:
            break;
    }
}

// Tells the machine that the step is done.
inline void say_done(World& world, RotationMachine& machine) {
    auto const& record = machine.record();
    switch (machine.next()) {
        case RotationStep::identify:
            return machine.identified(caller());
        case RotationStep::read_sink:
            return machine.saw_sink(world.sink);
        case RotationStep::read_current:
            return machine.saw_current(find(world, machine.current_uid()));
        case RotationStep::draw: {
            auto const number = std::to_string(++world.ids_drawn);
            return machine.drew("rotation" + number, "nonce" + number);
        }
        case RotationStep::create:
            return machine.created("key" + std::to_string(world.keys_made));
        case RotationStep::stage:
            return machine.staged(*world.sink.pending);
        case RotationStep::prove: {
            auto const key = find(world, record.new_uid);
            return key && key->is_active ? machine.proved(*key) : machine.failed(StepFailure::refused);
        }
        case RotationStep::read_old:
            return machine.saw_old(find(world, record.old_uid));
        case RotationStep::read_record:
            return machine.saw_record(world.disk);
        default:
            return machine.succeeded();
    }
}

}  // namespace rotation_world
