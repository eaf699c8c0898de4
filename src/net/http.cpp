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

std::optional<std::string_view> HttpRequest::plain_query_value(std::string_view name) const {
    if (query_is_ambiguous(name)) return std::nullopt;
    std::string_view rest = query;
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('&'), rest.size());
        const std::string_view pair = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (pair.size() <= name.size() || !pair.starts_with(name) || pair[name.size()] != '=')
            continue;
        const std::string_view value = pair.substr(name.size() + 1);
        if (value.find_first_of("%+") != std::string_view::npos) return std::nullopt;
        return value;
    }
    return std::nullopt;
}

std::string HttpRequest::header_or_query(std::string_view lower_case_name) const {
    if (const std::string_view value = header(lower_case_name); !value.empty())
        return std::string(value);
    if (query_is_ambiguous(lower_case_name)) return {};
    return query_value(lower_case_name).value_or(std::string());
}

} // namespace parley::net
