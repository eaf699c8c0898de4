#include "net/socket_io.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <sys/sendfile.h>
#include <sys/socket.h>

namespace parley::net {

namespace {

using State = IoResult::State;

IoResult from_errno() {
    return {errno == EAGAIN || errno == EWOULDBLOCK ? State::again : State::failed};
}

IoResult from_ssl(SSL* tls, int returned) {
    switch (SSL_get_error(tls, returned)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return {State::again};
    case SSL_ERROR_ZERO_RETURN:
        return {State::ended};
    default:
        return {State::failed};
    }
}

[[noreturn]] void throw_tls(const std::string& what, const std::string& file) {
    char reason[256] = "";
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    throw std::runtime_error(what + " '" + file + "': " + reason);
}

} // namespace

IoResult plain_read(int socket, std::span<char> into) {
    for (;;) {
        const ssize_t n = ::recv(socket, into.data(), into.size(), MSG_DONTWAIT);
        if (n > 0) return {State::done, static_cast<std::size_t>(n)};
        if (n == 0) return {State::ended};
        if (errno != EINTR) return from_errno();
    }
}

IoResult plain_write(int socket, std::span<const iovec> parts) {
    for (;;) {
        ssize_t n;
        if (parts.size() == 1) {
            n = ::send(socket, parts[0].iov_base, parts[0].iov_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        } else {
            msghdr message{};
            message.msg_iov = const_cast<iovec*>(parts.data()); // sendmsg does not write to it
            message.msg_iovlen = parts.size();
            n = ::sendmsg(socket, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        }
        if (n >= 0) return {State::done, static_cast<std::size_t>(n)};
        if (errno != EINTR) return from_errno();
    }
}

IoResult file_write(int socket, int file, std::uint64_t offset, std::uint64_t size) {
    constexpr std::uint64_t kPiece = 256 * 1024;
    for (;;) {
        off_t at = static_cast<off_t>(offset);
        const ssize_t n = ::sendfile(socket, file, &at, std::min(size, kPiece));
        if (n > 0) return {State::done, static_cast<std::size_t>(n)};
        if (n == 0) return {State::failed}; // shorter than it was
        if (errno != EINTR) return from_errno();
    }
}

IoResult tls_read(SSL* tls, std::span<char> into) {
    ERR_clear_error();
    std::size_t bytes = 0;
    const int returned = SSL_read_ex(tls, into.data(), into.size(), &bytes);
    return returned == 1 ? IoResult{State::done, bytes} : from_ssl(tls, returned);
}

IoResult tls_write(SSL* tls, std::string_view bytes) {
    ERR_clear_error();
    std::size_t written = 0;
    const int returned = SSL_write_ex(tls, bytes.data(), bytes.size(), &written);
    return returned == 1 ? IoResult{State::done, written} : from_ssl(tls, returned);
}

TlsContext::TlsContext(const std::string& certificate_file, const std::string& key_file)
    : x_context(SSL_CTX_new(TLS_server_method())) {
    if (!x_context) throw std::runtime_error("OpenSSL has no memory for a TLS context");
    try {
        SSL_CTX_set_min_proto_version(x_context, TLS1_2_VERSION);
        SSL_CTX_set_options(x_context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
        // Released buffers keep an idle connection small; a repeated write may come from elsewhere.
        SSL_CTX_set_mode(x_context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                        SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
        if (SSL_CTX_use_certificate_chain_file(x_context, certificate_file.c_str()) != 1)
            throw_tls("cannot read the TLS certificate", certificate_file);
        if (SSL_CTX_use_PrivateKey_file(x_context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
            throw_tls("cannot read the TLS key", key_file);
        if (SSL_CTX_check_private_key(x_context) != 1)
            throw_tls("the TLS key does not belong to the certificate", key_file);
    } catch (...) {
        SSL_CTX_free(x_context);
        throw;
    }
}

TlsContext::~TlsContext() { SSL_CTX_free(x_context); }

SSL* TlsContext::open(int socket) const {
    SSL* tls = SSL_new(x_context);
    if (!tls) return nullptr;
    if (SSL_set_fd(tls, socket) != 1) {
        SSL_free(tls);
        return nullptr;
    }
    SSL_set_accept_state(tls);
    return tls;
}

void TlsContext::free(SSL* tls) { SSL_free(tls); }

void TlsContext::shut_down(SSL* tls) {
    ERR_clear_error();
    SSL_shutdown(tls);
}

} // namespace parley::net
