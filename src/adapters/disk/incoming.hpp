// Incoming: an upload that somebody writes to; nobody else does meanwhile. What it writes through,
// and the SHA-256 of it.
//
// Large pieces go past the page cache (O_DIRECT) where the file system lets them: the disk is busy
// from the first one, an fsync finds nothing left to do, and what is read once at most displaces
// nothing. They are written in whole blocks, so up to one block waits in memory for what follows;
// flush() ends that. Small pieces go through the cache, which gathers them.
//
// Threading: one call at a time, but digest() may run beside append() of the same bytes. Everything
// blocks. Owner: who uploads; its end releases the key.
#pragma once

#include "base/result.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace parley::disk {

Error from_errno(int code);
Result<void> write_all(int descriptor, std::string_view bytes, std::uint64_t at);

class Incoming {
public:
    // Takes over a descriptor of the file at `path`, which holds `size` bytes. `release` is called
    // at the end.
    Incoming(std::string path, int descriptor, std::uint64_t size, std::function<void()> release);
    ~Incoming();
    Incoming(const Incoming&) = delete;
    Incoming& operator=(const Incoming&) = delete;

    std::uint64_t size() const { return x_size; }     // so far, with what waits for its block
    bool has_tail() const { return !x_tail.empty(); } // what waits
    Result<void> append(std::string_view bytes);
    void digest(std::string_view bytes);
    Result<void> flush();
    Result<std::string> sha256(); // of all of it; once
    Result<void> sync();          // on the disk when it answers

private:
    Result<void> append_cached(std::string_view bytes);
    Result<void> append_direct(std::string_view bytes);
    Result<void> write_blocks(std::string_view bytes, std::uint64_t at);
    bool direct();
    Result<void> hash_all();

    const std::string x_path;
    const int x_descriptor;
    const std::function<void()> x_release;
    int x_direct; // the same file past the cache; kUntried, or kRefused
    std::uint64_t x_size;
    std::string x_tail;              // the last of these bytes: less than a block, not written yet
    std::uint64_t x_begun;           // so far the disk was told to write
    evp_md_ctx_st* x_hash = nullptr; // of all bytes so far; null after a resumption
};

} // namespace parley::disk
