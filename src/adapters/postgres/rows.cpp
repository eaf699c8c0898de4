#include "adapters/postgres/rows.hpp"

#include "adapters/postgres/database_error.hpp"
#include "base/assert.hpp"

#include <libpq-fe.h>

#include <cstdlib>

namespace parley::postgres {
namespace {

std::int64_t big_endian(const char* at, std::size_t length) {
    // The sign is the first byte's.
    auto value = static_cast<std::uint64_t>(std::int64_t{static_cast<signed char>(*at)});
    for (std::size_t i = 1; i < length; ++i) value = value << 8 | static_cast<unsigned char>(at[i]);
    return static_cast<std::int64_t>(value);
}

DatabaseError not_integers() { return {Errc::internal, "a column is not of the expected type"}; }

} // namespace

void ResultDeleter::operator()(pg_result* result) const { PQclear(result); }

bool Row::is_null(int column) const {
    PARLEY_ASSERT(column < PQnfields(x_result) && x_row < PQntuples(x_result));
    return PQgetisnull(x_result, x_row, column) != 0;
}

std::string_view Row::bytes(int column) const {
    if (is_null(column)) return {};
    return {PQgetvalue(x_result, x_row, column),
            static_cast<std::size_t>(PQgetlength(x_result, x_row, column))};
}

std::int64_t Row::integer(int column) const {
    if (is_null(column)) return 0;
    const std::string_view value = bytes(column);
    if (value.size() != 8 && value.size() != 4 && value.size() != 2 && value.size() != 1)
        throw not_integers();
    return big_endian(value.data(), value.size());
}

std::vector<std::int64_t> Row::integers(int column) const {
    constexpr std::size_t kHeader = 20, kLength = 4; // params.cpp has the format
    std::string_view value = bytes(column);
    std::vector<std::int64_t> found;
    if (value.size() < kHeader) return found; // NULL, or no dimension
    const auto size = static_cast<std::size_t>(big_endian(value.data() + 12, kLength));
    value.remove_prefix(kHeader);
    found.reserve(size);
    for (std::size_t i = 0; i < size; ++i) {
        if (value.size() < kLength) throw not_integers();
        const std::int64_t length = big_endian(value.data(), kLength);
        value.remove_prefix(kLength);
        if (length < 1 || length > 8 || static_cast<std::size_t>(length) > value.size())
            throw not_integers();
        found.push_back(big_endian(value.data(), static_cast<std::size_t>(length)));
        value.remove_prefix(static_cast<std::size_t>(length));
    }
    return found;
}

std::size_t Rows::size() const { return static_cast<std::size_t>(PQntuples(x_result.get())); }

std::int64_t Rows::changes() const {
    return std::strtoll(PQcmdTuples(x_result.get()), nullptr, 10); // "" for other commands
}

std::string_view Rows::tag() const { return PQcmdStatus(x_result.get()); }

} // namespace parley::postgres
