// JSON bodies, read strictly: one object in valid UTF-8, at most limits::kJsonDepth deep, no key
// twice, no U+0000 in a text, no number beyond a double, nothing after it. What breaks that is
// bad_json; a field of a wrong type, or a required one that is missing, is invalid_field with its
// name. Unknown fields are ignored.
//
// Threading: values. Writing is done by hand, with protocol/v1/server_frame.hpp's parts.
#pragma once

#include "base/result.hpp"
#include "model/ids.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace parley::api {

// The error of a field: "<field>: <expected> was expected."
Error invalid_field(std::string_view field, std::string_view expected);

class JsonBody {
public:
    static Result<JsonBody> parse(std::string_view body);

    bool has(std::string_view field) const;       // also when it is null
    bool is_absent(std::string_view field) const; // or null

    Result<std::string> text(std::string_view field) const;
    // nullopt when it is absent or null.
    Result<std::optional<std::string>> optional_text(std::string_view field) const;
    Result<std::optional<bool>> optional_flag(std::string_view field) const;
    // A whole number from `least` to `most`.
    Result<std::optional<std::uint32_t>>
    optional_number(std::string_view field, std::uint32_t least, std::uint32_t most) const;
    // A whole number of bytes.
    Result<std::uint64_t> size(std::string_view field) const;
    // nullopt when it is absent; null is "".
    Result<std::optional<std::string>> clearable_text(std::string_view field) const;

    // An id is a string of decimal digits.
    template <class Id>
    Result<Id> id(std::string_view field) const {
        PARLEY_TRY(const std::string digits, text(field));
        const auto parsed = Id::parse(digits);
        if (!parsed) return bad_id(field);
        return *parsed;
    }
    // A number, or a string of decimal digits: what classic clients send.
    template <class Id>
    Result<Id> number_id(std::string_view field) const {
        PARLEY_TRY(const std::string digits, number_text(field));
        const auto parsed = Id::parse(digits);
        if (!parsed) return invalid_field(field, "an id, a number above 0,");
        return *parsed;
    }
    template <class Id>
    Result<std::optional<Id>> optional_id(std::string_view field) const {
        if (is_absent(field)) return std::optional<Id>{};
        PARLEY_TRY(const Id found, id<Id>(field));
        return std::optional<Id>(found);
    }
    // Empty when it is absent or null; more than `most` is invalid_field.
    template <class Id>
    Result<std::vector<Id>> ids(std::string_view field, std::size_t most) const {
        PARLEY_TRY(const std::vector<std::string> all, texts(field, most));
        std::vector<Id> found;
        for (const std::string& digits : all) {
            const auto parsed = Id::parse(digits);
            if (!parsed) return bad_id(field);
            found.push_back(*parsed);
        }
        return found;
    }

    // An array of objects; empty when it is absent or null. More than `most` is invalid_field.
    Result<std::vector<JsonBody>> objects(std::string_view field, std::size_t most) const;

private:
    struct Object;
    explicit JsonBody(std::shared_ptr<const Object> object) : x_object(std::move(object)) {}
    Result<std::string> number_text(std::string_view field) const;
    Result<std::vector<std::string>> texts(std::string_view field, std::size_t most) const;
    static Error bad_id(std::string_view field);

    std::shared_ptr<const Object> x_object;
};

} // namespace parley::api
