// SPDX-License-Identifier: Apache-2.0
// Owning handles for OpenSSL's objects, and its error queue as an Error. Included by x509's and
// net's sources only: no header of ours lets OpenSSL's names out.
#pragma once

#include "base/bytes.hpp"
#include "base/result.hpp"

#include <memory>
#include <string>
#include <string_view>

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace rollcall::x509 {

template <auto Free>
struct FreeWith {
    template <class T>
    void operator()(T* held) const {
        Free(held);
    }
};

template <class T, auto Free>
using Handle = std::unique_ptr<T, FreeWith<Free>>;

using X509Handle = std::unique_ptr<X509, FreeWith<X509_free>>;
using BioHandle = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using BignumHandle = std::unique_ptr<BIGNUM, FreeWith<BN_free>>;
using PkeyHandle = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using PkeyContextHandle = std::unique_ptr<EVP_PKEY_CTX, FreeWith<EVP_PKEY_CTX_free>>;
using Asn1TimeHandle = std::unique_ptr<ASN1_TIME, FreeWith<ASN1_TIME_free>>;
using Asn1StringHandle = std::unique_ptr<ASN1_STRING, FreeWith<ASN1_STRING_free>>;
using Asn1ObjectHandle = std::unique_ptr<ASN1_OBJECT, FreeWith<ASN1_OBJECT_free>>;
using ExtensionHandle = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;
using NameHandle = std::unique_ptr<X509_NAME, FreeWith<X509_NAME_free>>;

/// A BIO that reads `text`, which must outlive it.
BioHandle reading(std::string_view text);

/// Everything written to a memory BIO so far.
std::string written(BIO* bio);

/// An Error with the library's own words as its note. Empties the library's queue, which a later
/// call on this thread would otherwise trip over.
Error openssl_error(ErrorKind kind, std::string detail, std::string reason = {});

/// Empties this thread's queue where a failed decoding is an answer, not an error.
void forget_openssl_errors();

}  // namespace rollcall::x509
