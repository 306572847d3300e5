// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/audit_event.hpp>
#include <palette/impl/emulator/faults/fault_list.hpp>
#include <palette/impl/emulator/http/http.hpp>
#include <palette/impl/emulator/http/request_log.hpp>
#include <palette/impl/emulator/service/bodies.hpp>
#include <palette/impl/emulator/service/permissions.hpp>
#include <palette/impl/emulator/service/routes.hpp>
#include <palette/impl/emulator/service/tenant.hpp>
#include <palette/impl/emulator/service/tenant_rate_limit.hpp>
#include <palette/impl/emulator/service/tokens.hpp>
#include <palette/testing/emulator_options.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

// The service without its sockets: a request goes in, a response comes out. Not synchronised.
//
// A request is first admitted, which finds out what it asks for and which faults it meets, and then
// answered; whoever delivers the answer decides when, and whether at all.
class Service {
public:
    // `hosts`: those that a Host header may name, beside loopback.
    Service(const testing::EmulatorOptions& options, std::vector<std::string> hosts);

    class Admission {
    public:
        [[nodiscard]] const testing::FaultRule* delivery() const noexcept { return faults_.delivery(); }

    private:
        friend class Service;
        std::uint64_t number_ = 0;
        std::optional<Target> target_;
        std::optional<Route> route_;
        std::optional<Response> refused_;  // by a guard, the rate limit or the absence of a route
        ActiveFaults faults_;
    };

    Admission admit(const Request& request);

    // Does what the request asks for, unless a fault answers in the service's place.
    Response answer(const Request& request, const Admission& admission);

    // That the answer is going to be sent.
    void log_status(const Admission& admission, int status);

    // What is known of the request by now; nothing if that is not kept any more.
    [[nodiscard]] std::optional<testing::ReceivedRequest> logged(const Admission& admission);

    [[nodiscard]] Instant now() const;
    [[nodiscard]] Tenant& tenant() noexcept { return tenant_; }
    [[nodiscard]] const Tenant& tenant() const noexcept { return tenant_; }
    [[nodiscard]] Tokens& tokens() noexcept { return tokens_; }
    [[nodiscard]] FaultList& faults() noexcept { return faults_; }
    [[nodiscard]] const RequestLog& log() const noexcept { return log_; }

    // Adds a key and gives its value.
    std::string add_key(ApiKey key, std::string creator_uid);
    // Writes an event to the audit log, with a uid and the time unless it has them. Gives the uid.
    std::string add_event(AuditEvent event);

private:
    // Who asks.
    struct Caller {
        std::string uid;
        Role role;
        testing::ReceivedRequest::Credential credential;
    };

    void log_faults(const Request& request, const Admission& admission);
    void pass_guards(const Request& request, const Target& target) const;
    void pass_rate_limit(const Request& request, const Target& target);
    [[nodiscard]] std::optional<Response> answer_of_fault(const Request& request,
                                                          const Admission& admission) const;
    Response perform(const Request& request, const Admission& admission);

    [[nodiscard]] Caller authenticate(const Request& request);
    Caller authenticate_and_log(const Request& request, const Admission& admission);
    [[nodiscard]] Caller owner_of(std::string_view key_value);
    [[nodiscard]] Caller bearer_of(std::string_view token);
    KeyRecord& permitted_key(const Caller& caller, const Route& route);

    [[nodiscard]] Response list_keys(const Caller& caller, const Admission& admission) const;
    Response create_key(const Caller& caller, const Request& request, const ActiveFaults& faults);
    [[nodiscard]] Response read_key(const KeyRecord& record) const;
    Response update_key(const Caller& caller, KeyRecord& record, const Request& request,
                        const ActiveFaults& faults);
    Response set_active(const Caller& caller, KeyRecord& record, const Request& request);
    Response delete_key(const Caller& caller, const KeyRecord& record, const ActiveFaults& faults);
    Response log_in(const Request& request);
    Response refresh(const std::string& token);
    [[nodiscard]] Response who_am_i(const Caller& caller) const;
    [[nodiscard]] Response list_users(const Caller& caller, const Admission& admission) const;
    [[nodiscard]] Response read_user(const Caller& caller, const std::string& uid) const;
    [[nodiscard]] Response list_audits(const Caller& caller, const Admission& admission) const;
    [[nodiscard]] Response read_limits(const Caller& caller, const std::string& tenant_uid) const;

    // Writes an operation on a key to the audit log, if such operations are audited.
    void note(const Caller& caller, std::string_view action, const ApiKey& key);
    // A key was used for something that is answered.
    void note_use(const Caller& caller);

    void check_name(std::string_view name, std::string_view owner_uid, const KeyRecord* except) const;
    [[nodiscard]] Expiry checked_expiry(std::optional<Expiry> wanted, const KeyRecord* before) const;
    void touch(ApiKey& key) const;

    testing::EmulatorOptions options_;
    std::vector<std::string> hosts_;
    Tenant tenant_;
    Tokens tokens_;
    TenantRateLimit limiter_;
    FaultList faults_;
    RequestLog log_;
};

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation

#ifdef PALETTE_KEYS_HEADER_ONLY
#    include <palette/impl/emulator/service/directory.ipp>
#    include <palette/impl/emulator/service/operations.ipp>
#    include <palette/impl/emulator/service/service.ipp>
#endif
