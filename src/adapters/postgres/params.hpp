// Params: the values of one run of a statement, in the order of $1, $2, ...; in PostgreSQL's binary
// format, so that nothing is quoted or parsed.
//
//   integers, enumerations, ids, times   bigint (goes into smallint and integer columns as well)
//   text                                 text; every byte but NUL
//   Blob                                 bytea
//   optional<...>                        the same, or NULL
//   vector<...> of any of these          an array, for unnest($1) and = ANY($1)
//
// Flags are smallint columns: bigint does not become boolean. Text and Blobs are not copied: they
// must live until the call of the Connection returns. Value; one thread at a time.
#pragma once

#include "base/assert.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace parley::postgres {

// Bytes that are not text: hashes.
struct Blob {
    std::string_view bytes;
};

using TypeId = unsigned; // PostgreSQL's Oid

class Params {
public:
    template <class... Values>
    explicit Params(const Values&... values) {
        x_params.reserve(sizeof...(values));
        (add(values), ...);
    }

    template <class Value>
    Params& add(const Value& value) {
        if constexpr (is_array<Value>)
            add_array(value);
        else if constexpr (requires { value.has_value(); })
            value ? put(scalar(*value)) : put_null(type_of<std::decay_t<decltype(*value)>>());
        else
            put(scalar(value));
        return *this;
    }

    // What libpq takes. The pointers are good until the next add().
    struct Arrays {
        std::vector<TypeId> types;
        std::vector<const char*> values;
        std::vector<int> lengths, formats;
    };
    Arrays arrays() const;

private:
    static constexpr TypeId kBigint = 20, kText = 25, kBytea = 17;

    struct Scalar {
        TypeId type;
        std::int64_t integer;
        std::string_view bytes;
    };
    struct Param {
        TypeId type = 0;
        bool null = false, owned = false; // owned: `at` and `size` lie in x_owned
        std::size_t at = 0, size = 0;
        const char* data = nullptr;
    };

    template <class Value>
    static constexpr bool is_array = false;
    template <class Value>
    static constexpr TypeId type_of() {
        if constexpr (std::is_convertible_v<const Value&, std::string_view>)
            return kText;
        else if constexpr (std::is_same_v<Value, Blob>)
            return kBytea;
        else
            return kBigint;
    }
    template <class Value>
    static Scalar scalar(const Value& value) {
        if constexpr (type_of<Value>() == kText)
            return {kText, 0, value};
        else if constexpr (type_of<Value>() == kBytea)
            return {kBytea, 0, value.bytes};
        else if constexpr (std::is_enum_v<Value> || std::is_integral_v<Value>)
            return {kBigint, static_cast<std::int64_t>(value), {}};
        else if constexpr (requires { value.ms; })
            return {kBigint, value.ms, {}};
        else
            return {kBigint, value.value, {}};
    }

    template <class Array>
    void add_array(const Array& array) {
        using Value = typename Array::value_type;
        if constexpr (requires(const Value& v) { v.has_value(); }) {
            begin_array(type_of<typename Value::value_type>(), array.size());
            for (const Value& value : array) value ? element(scalar(*value)) : null_element();
        } else {
            begin_array(type_of<Value>(), array.size());
            for (const Value& value : array) element(scalar(value));
        }
        end_array();
    }

    void put(const Scalar& scalar);
    void put_null(TypeId type);
    void begin_array(TypeId element, std::size_t size);
    void element(const Scalar& scalar);
    void null_element();
    void end_array();

    std::vector<Param> x_params;
    std::string x_owned;
};

template <class Value>
constexpr bool Params::is_array<std::vector<Value>> = true;

} // namespace parley::postgres
