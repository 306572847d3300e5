// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/result.hpp>
#include <palette/secret.hpp>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// What the JSON gateway of etcd's v3 API is sent, and what it answers. Keys and values are base64 there,
// numbers of 64 bits are strings, and what is zero, false or empty is left out.
namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd {

using Object = boost::json::object;

std::string to_base64(std::string_view bytes);

// Nothing for what is not canonical base64 with its padding.
std::optional<std::string> from_base64(std::string_view digits);

// A key that is there. Revisions count the changes of the whole cluster.
struct KeyValue {
    std::string value;
    std::uint64_t create_revision = 0;
    std::uint64_t mod_revision = 0;
    std::uint64_t lease = 0;  // 0: none
};

// Compares, and then either writes or reads, as one step. In a comparison, revision 0 means that there is no
// such key.
class Transaction {
public:
    Transaction& if_modified_at(std::string_view key, std::uint64_t revision);
    Transaction& if_created_at(std::string_view key, std::uint64_t revision);
    Transaction& then_put(std::string_view key, std::string_view value, std::uint64_t lease = 0);
    Transaction& else_read(std::string_view key);

    [[nodiscard]] std::string body() const;

private:
    Transaction& compare(std::string_view key, const char* target, const char* field, std::uint64_t revision);

    boost::json::array compares_, puts_, reads_;
};

struct TransactionAnswer {
    bool is_applied = false;
    // What has been written is of this revision.
    std::uint64_t revision = 0;
    // In the order of else_read(), if it was not applied.
    std::vector<std::optional<KeyValue>> found;
};

std::string range_body(std::string_view key);
std::string grant_body(std::uint64_t seconds);
std::string lease_body(std::uint64_t lease);

// The text is secret, and in no string that was not wiped. errc::invalid_argument for what is not UTF-8.
Result<Secret> authenticate_body(std::string_view user, std::string_view password);

// Each reads an answer. errc::bad_value or errc::wrong_type names the field; nothing of the answer is quoted.
Result<TransactionAnswer> read_transaction(const Object& answer, std::size_t reads);
Result<std::optional<KeyValue>> read_range(const Object& answer);
Result<std::uint64_t> read_lease(const Object& answer);
Result<Secret> read_token(std::string_view answer);
// How many seconds are left of the lease; 0 if it has ended.
Result<std::uint64_t> read_keepalive(const Object& answer);

// The object of an answer's text.
Result<Object> read_object(std::string_view answer);

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::lifecycle::etcd

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/lifecycle/stores/etcd_messages.ipp>
#endif
