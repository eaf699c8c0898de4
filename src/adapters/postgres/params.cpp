#include "adapters/postgres/params.hpp"

#include <limits>

namespace parley::postgres {
namespace {

constexpr TypeId kBigintArray = 1016, kTextArray = 1009, kByteaArray = 1001;

template <class Unsigned>
void append_big_endian(std::string& out, Unsigned value) {
    for (int shift = 8 * static_cast<int>(sizeof value) - 8; shift >= 0; shift -= 8)
        out += static_cast<char>(value >> shift & 0xFF);
}

void append_length(std::string& out, std::size_t length) {
    PARLEY_ASSERT(length <= static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max()));
    append_big_endian(out, static_cast<std::uint32_t>(length));
}

} // namespace

void Params::put(const Scalar& scalar) {
    Param param{.type = scalar.type};
    if (scalar.type == kBigint) {
        param.owned = true;
        param.at = x_owned.size();
        param.size = sizeof scalar.integer;
        append_big_endian(x_owned, static_cast<std::uint64_t>(scalar.integer));
    } else {
        // An empty view may hold a null pointer, which would mean NULL.
        param.data = scalar.bytes.data() ? scalar.bytes.data() : "";
        param.size = scalar.bytes.size();
    }
    x_params.push_back(param);
}

void Params::put_null(TypeId type) { x_params.push_back({.type = type, .null = true}); }

// array := dimensions (0 or 1), has nulls, type of the elements [, length, first index], elements
void Params::begin_array(TypeId element, std::size_t size) {
    const TypeId type = element == kBigint ? kBigintArray
                        : element == kText ? kTextArray
                                           : kByteaArray;
    x_params.push_back({.type = type, .owned = true, .at = x_owned.size()});
    append_length(x_owned, size == 0 ? 0 : 1);
    append_length(x_owned, 1);
    append_length(x_owned, element);
    if (size == 0) return;
    append_length(x_owned, size);
    append_length(x_owned, 1);
}

void Params::element(const Scalar& scalar) {
    if (scalar.type == kBigint) {
        append_length(x_owned, sizeof scalar.integer);
        append_big_endian(x_owned, static_cast<std::uint64_t>(scalar.integer));
    } else {
        append_length(x_owned, scalar.bytes.size());
        x_owned += scalar.bytes;
    }
}

void Params::null_element() { append_big_endian(x_owned, std::uint32_t{0xFFFF'FFFF}); }

void Params::end_array() { x_params.back().size = x_owned.size() - x_params.back().at; }

Params::Arrays Params::arrays() const {
    Arrays arrays;
    for (const Param& param : x_params) {
        PARLEY_ASSERT(param.size <= static_cast<std::size_t>(std::numeric_limits<int>::max()));
        const char* const data = param.owned ? x_owned.data() + param.at : param.data;
        arrays.types.push_back(param.type);
        arrays.values.push_back(param.null ? nullptr : data);
        arrays.lengths.push_back(static_cast<int>(param.size));
        arrays.formats.push_back(1);
    }
    return arrays;
}

} // namespace parley::postgres
