// Non-blocking reads and writes on a socket, plain or under TLS, with one vocabulary of outcomes.
// Threading: one core per socket; TlsContext is const after construction.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <sys/uio.h>

struct ssl_st;
struct ssl_ctx_st;

namespace parley::net {

struct IoResult {
    enum class State { done, again, ended, failed };
    State state;
    std::size_t bytes = 0; // with done
};

IoResult plain_read(int socket, std::span<char> into);
IoResult plain_write(int socket, std::span<const iovec> parts);
// At most so many bytes of a file, without a copy in this process.
IoResult file_write(int socket, int file, std::uint64_t offset, std::uint64_t size);
// With TLS a read may need a write and the other way round; `again` means: after any event.
IoResult tls_read(ssl_st* tls, std::span<char> into);
// A write that was not done must be repeated with the same bytes, possibly more of them.
IoResult tls_write(ssl_st* tls, std::string_view bytes);

// OpenSSL's server context, TLS 1.2 and later.
class TlsContext {
public:
    // Throws std::runtime_error with a text for the operator.
    TlsContext(const std::string& certificate_file, const std::string& key_file);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;
    // A server session on `socket`, whose handshake runs inside the first reads; nullptr without
    // memory.
    ssl_st* open(int socket) const;
    static void free(ssl_st* tls);
    // Sends close_notify, as far as the socket takes it at once.
    static void shut_down(ssl_st* tls);

private:
    ssl_ctx_st* x_context;
};

} // namespace parley::net
