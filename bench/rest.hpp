// Rest: a blocking HTTP/1.1 client with one keep-alive connection, for what a run sets up before it
// measures (accounts, rooms) and for timing history pages.
//
// Threading: one thread for each object. Bounds: 20 s for each answer. Throws std::runtime_error.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace parley::bench {

struct Reply {
    int status = 0;
    std::string body;
};

class Rest {
public:
    Rest(std::string address, std::uint16_t port);
    ~Rest();
    Rest(const Rest&) = delete;
    Rest& operator=(const Rest&) = delete;

    Reply request(std::string_view method, std::string_view path, std::string_view token,
                  std::string_view body = {});
    // The same, and throws unless the answer is a 2xx.
    std::string must(std::string_view method, std::string_view path, std::string_view token,
                     std::string_view body = {});

private:
    void open();
    void close_socket();
    bool exchange(const std::string& request, Reply& reply);
    bool read_more();

    const std::string x_address;
    const std::uint16_t x_port;
    int x_descriptor = -1;
    std::string x_buffer;
};

} // namespace parley::bench
