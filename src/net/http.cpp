#include "net/http.hpp"

#include "net/http_codec.hpp"

#include <algorithm>

namespace parley::net {

namespace {

// Calls visit(name, value), both decoded, for each parameter of a query.
template <class Visit>
void for_each_parameter(std::string_view query, Visit&& visit) {
    while (!query.empty()) {
        const std::size_t end = std::min(query.find('&'), query.size());
        const std::string_view pair = query.substr(0, end);
        query.remove_prefix(std::min(end + 1, query.size()));
        const std::size_t equals = std::min(pair.find('='), pair.size());
        auto name = percent_decode(pair.substr(0, equals), Plus::space);
        auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), Plus::space);
        if (name && value) visit(*name, std::move(*value));
    }
}

} // namespace

std::string HttpRequest::joined(std::string_view lower_case_name) const {
    std::string all;
    for (const auto& [name, value] : headers)
        if (name == lower_case_name) (all += all.empty() ? "" : ", ") += value;
    return all;
}

std::string_view HttpRequest::header(std::string_view lower_case_name) const {
    for (const auto& [name, value] : headers)
        if (name == lower_case_name) return value;
    return {};
}

std::optional<std::string> HttpRequest::query_value(std::string_view name) const {
    std::optional<std::string> found;
    for_each_parameter(query, [&](const std::string& key, std::string value) {
        if (key == name && !found) found = std::move(value);
    });
    return found;
}

bool HttpRequest::query_is_ambiguous(std::string_view name) const {
    int count = 0;
    for_each_parameter(query,
                       [&](const std::string& key, const std::string&) { count += key == name; });
    return count > 1;
}

} // namespace parley::net
