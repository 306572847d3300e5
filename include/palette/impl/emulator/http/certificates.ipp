// SPDX-License-Identifier: BSL-1.0
#pragma once

#include <palette/impl/emulator/http/certificates.hpp>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <boost/asio/ip/address.hpp>

#include <memory>
#include <string>
#include <system_error>
#include <vector>

namespace palette::inline PALETTE_KEYS_ABI::impl::emulation {

template <auto free>
struct Freed {
    void operator()(auto* object) const noexcept { free(object); }
};

using KeyPair = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Memory = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using Extension = std::unique_ptr<X509_EXTENSION, Freed<X509_EXTENSION_free>>;

inline void check_openssl(bool good) {
    if (!good) throw std::system_error(std::make_error_code(std::errc::not_enough_memory), "OpenSSL");
}

inline KeyPair make_key_pair() {
    // Two pairs are made at every start of an emulator, and RSA keys would take much longer.
    KeyPair key(EVP_EC_gen("P-256"));
    check_openssl(key != nullptr);
    return key;
}

inline void name_it(X509_NAME* name, const char* common_name) {
    check_openssl(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
                                             reinterpret_cast<const unsigned char*>(common_name), -1, -1,
                                             0) == 1);
}

// Version 3, a random serial number, and a day that begins a little before now: clocks differ.
inline Certificate make_certificate(const char* common_name, EVP_PKEY* key) {
    Certificate certificate(X509_new());
    check_openssl(certificate != nullptr);
    auto* const c = certificate.get();
    unsigned char serial[16];
    check_openssl(RAND_bytes(serial, sizeof serial) == 1);
    serial[0] = static_cast<unsigned char>((serial[0] & 0x3F) | 0x40);  // positive, and full length
    std::unique_ptr<BIGNUM, Freed<BN_free>> const number(BN_bin2bn(serial, sizeof serial, nullptr));
    constexpr long minute = 60;
    constexpr long day = 24 * 60 * minute;
    check_openssl(X509_set_version(c, X509_VERSION_3) == 1 && number != nullptr &&
                  BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(c)) != nullptr &&
                  X509_gmtime_adj(X509_getm_notBefore(c), -5 * minute) != nullptr &&
                  X509_gmtime_adj(X509_getm_notAfter(c), day - 5 * minute) != nullptr &&
                  X509_set_pubkey(c, key) == 1);
    name_it(X509_get_subject_name(c), common_name);
    return certificate;
}

// `value` is written as in OpenSSL's configuration files.
inline void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
    X509V3_CTX context;
    // Without a configuration: the system's file must not change what is made here.
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    Extension const extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
    check_openssl(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1);
}

inline bool is_address(const std::string& name) {
    boost::system::error_code ec;
    boost::asio::ip::make_address(name, ec);
    return !ec;
}

inline std::string alternative_names(const std::vector<std::string>& more) {
    // Clients compare the host that they dial with these; the common name has not counted for years (RFC
    // 6125).
    std::string names = "DNS:localhost,IP:127.0.0.1,IP:::1";
    for (auto const& name : more)
        names += (is_address(name) ? ",IP:" : ",DNS:") + name;
    return names;
}

// The authority cannot vouch for more than these names: whoever trusts it, and forgets to stop, trusts it for
// this emulator alone.
inline std::string permitted_names(const std::vector<std::string>& more) {
    // An address in a constraint has a mask: all of its bits, for this address alone.
    std::string const all_bits_6 = "/ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
    std::string names =
        "critical,permitted;DNS:localhost,permitted;IP:127.0.0.0/255.0.0.0,permitted;IP:::1" + all_bits_6;
    for (auto const& name : more) {
        if (!is_address(name))
            names += ",permitted;DNS:" + name;
        else
            names += ",permitted;IP:" + name +
                     (name.find(':') == std::string::npos ? "/255.255.255.255" : all_bits_6);
    }
    return names;
}

inline Certificate make_authority(EVP_PKEY* key, const std::vector<std::string>& more_names) {
    auto authority = make_certificate("palette-emulator authority", key);
    auto* const c = authority.get();
    check_openssl(X509_set_issuer_name(c, X509_get_subject_name(c)) == 1);
    // Critical: a client that does not understand a constraint must refuse, and not overlook it.
    extend(c, c, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
    extend(c, c, NID_key_usage, "critical,keyCertSign");
    extend(c, c, NID_name_constraints, permitted_names(more_names));
    extend(c, c, NID_subject_key_identifier, "hash");
    check_openssl(X509_sign(c, key, EVP_sha256()) > 0);
    return authority;
}

inline Certificate make_host(EVP_PKEY* key, X509* authority, EVP_PKEY* authority_key,
                             const std::vector<std::string>& more_names) {
    auto host = make_certificate("palette-emulator", key);
    auto* const c = host.get();
    check_openssl(X509_set_issuer_name(c, X509_get_subject_name(authority)) == 1);
    extend(c, authority, NID_basic_constraints, "critical,CA:FALSE");
    extend(c, authority, NID_key_usage, "critical,digitalSignature");
    extend(c, authority, NID_ext_key_usage, "serverAuth");
    extend(c, authority, NID_subject_alt_name, alternative_names(more_names));
    // Authorities of several emulators have the same name: the identifiers tell a client which one has
    // signed.
    extend(c, authority, NID_subject_key_identifier, "hash");
    extend(c, authority, NID_authority_key_identifier, "keyid:always");
    check_openssl(X509_sign(c, authority_key, EVP_sha256()) > 0);
    return host;
}

template <class Write>
std::string pem(Write write) {
    Memory const memory(BIO_new(BIO_s_mem()));
    check_openssl(memory != nullptr && write(memory.get()) == 1);
    char* data = nullptr;
    auto const size = BIO_get_mem_data(memory.get(), &data);
    return {data, static_cast<std::size_t>(size)};
}

PALETTE_KEYS_INLINE HostIdentity make_host_identity(const std::vector<std::string>& more_names) {
    // It never leaves this function: nobody can sign with this authority afterwards.
    auto const authority_key = make_key_pair();
    auto const authority = make_authority(authority_key.get(), more_names);
    auto const key = make_key_pair();
    auto const host = make_host(key.get(), authority.get(), authority_key.get(), more_names);
    return {
        pem([&](BIO* out) { return PEM_write_bio_X509(out, authority.get()); }),
        pem([&](BIO* out) { return PEM_write_bio_X509(out, host.get()); }),
        pem([&](BIO* out) {
            return PEM_write_bio_PrivateKey(out, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        }),
    };
}

}  // namespace palette::inline PALETTE_KEYS_ABI::impl::emulation
