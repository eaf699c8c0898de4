// DatabaseError: what PostgreSQL could not do. It does not leave the adapter: guarded() turns it
// into a Result at the ports. Value.
#pragma once

#include "base/result.hpp"

#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace parley::postgres {

class DatabaseError : public std::runtime_error {
public:
    // `cause` is for a person and holds no user content. `state`: the server's SQLSTATE, "" when
    // it is not the server that says so.
    DatabaseError(Errc code, const std::string& cause, std::string state = {})
        : std::runtime_error(cause), x_code(code), x_state(std::move(state)) {}

    Error error() const { return {x_code, what()}; }
    const std::string& state() const { return x_state; }

private:
    Errc x_code;
    std::string x_state;
};

// Runs `function` and answers what it gives, or the DatabaseError that it threw.
template <class Function>
auto guarded(Function&& function) -> std::invoke_result_t<Function&> {
    try {
        return function();
    } catch (const DatabaseError& error) {
        return error.error();
    }
}

} // namespace parley::postgres
