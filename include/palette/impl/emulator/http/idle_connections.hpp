// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/connection.hpp>

#include <list>
#include <utility>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// The connections over which nothing is under way, the longest idle first: from the handshake on, and from
// each answer on, until the first byte of a request has come. On the server's thread.
class IdleConnections {
public:
    // One connection while it is idle.
    class Entry {
    public:
        Entry(IdleConnections& all, Connection& connection)
            : all_(all),
              at_(all.list_.insert(all.list_.end(), &connection)) {}
        Entry(const Entry&) = delete;
        Entry& operator=(const Entry&) = delete;
        ~Entry() { all_.list_.erase(at_); }

    private:
        IdleConnections& all_;
        std::list<Connection*>::iterator at_;
    };

    // Closes the connection that has been idle for longest. False: none is idle.
    bool close_longest() noexcept {
        for (auto& connection : list_) {
            if (connection == nullptr) continue;  // closed already; its session has not seen it yet
            std::exchange(connection, nullptr)->drop();
            return true;
        }
        return false;
    }

private:
    std::list<Connection*> list_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
