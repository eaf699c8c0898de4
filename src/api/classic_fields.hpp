// The fields of a classic call: from its JSON body (also that of a GET), or from its query where it
// has no body. A field that both have must be the same in both. An id is a number or a string of
// digits; in the query it must be written plainly (net::HttpRequest::plain_query_value), since
// proxies route by it.
//
// Threading: a value; borrows the request.
#pragma once

#include "api/json.hpp"
#include "api/page.hpp"
#include "net/http.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace parley::api {

class ClassicFields {
public:
    static Result<ClassicFields> of(const net::HttpRequest& request);

    template <class Id>
    Result<std::optional<Id>> optional_id(std::string_view field) const {
        std::optional<Id> from_query, from_body;
        if (x_request.query_value(field)) {
            const auto plain = x_request.plain_query_value(field);
            if (plain) from_query = Id::parse(*plain);
            if (!from_query) return invalid_field(field, "an id, given once and without escapes,");
        }
        if (x_body && !x_body->is_absent(field)) {
            PARLEY_TRY(from_body, x_body->number_id<Id>(field));
        }
        if (from_query && from_body && *from_query != *from_body)
            return invalid_field(field, "one value");
        return from_body ? from_body : from_query;
    }
    template <class Id>
    Result<Id> id(std::string_view field) const {
        PARLEY_TRY(const std::optional<Id> found, optional_id<Id>(field));
        if (!found) return invalid_field(field, "an id");
        return *found;
    }
    Result<std::optional<std::string>> optional_text(std::string_view field) const;

private:
    ClassicFields(const net::HttpRequest& request, std::optional<JsonBody> body)
        : x_request(request), x_body(std::move(body)) {}
    const net::HttpRequest& x_request;
    std::optional<JsonBody> x_body;
};

} // namespace parley::api
