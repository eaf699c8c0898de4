// The half of http_codec.hpp that needs no Beast: answers and small grammar.
#include "net/http_codec.hpp"

#include <algorithm>

namespace parley::net {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool equals_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

int hex(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool is_safe(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
    });
}

void put_field(std::string& out, std::string_view name, std::string_view value) {
    if (!is_safe(name) || !is_safe(value)) return;
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

} // namespace

FrameRef serialise(const HttpResponse& response, const AnswerContext& context) {
    const std::string_view body =
        response.static_body.empty() ? std::string_view(response.body) : response.static_body;
    const std::uint64_t size = response.file ? response.file->size() : body.size();
    const bool bodiless = response.status == 204 || response.status == 304;
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
    head += reason_phrase(response.status);
    head += "\r\n";
    if (!context.date.empty()) put_field(head, "Date", context.date);
    if (!bodiless) {
        put_field(head, "Content-Length", std::to_string(size));
        if (!response.content_type.empty() && size > 0)
            put_field(head, "Content-Type", response.content_type);
    }
    bool has_cache_control = false;
    for (const auto& [name, value] : response.headers) {
        has_cache_control |= equals_ignoring_case(name, "Cache-Control");
        put_field(head, name, value);
    }
    if (!has_cache_control) put_field(head, "Cache-Control", "no-store");
    put_field(head, "X-Content-Type-Options", "nosniff");
    if (context.close) put_field(head, "Connection", "close");
    head += "\r\n";
    return FrameRef::copy_of(head,
                             bodiless || context.head || response.file ? std::string_view{} : body);
}

HttpResponse make_problem(int status, std::string_view code, std::string_view detail) {
    HttpResponse answer;
    answer.status = status;
    answer.content_type = "application/problem+json";
    answer.body = R"({"type":"about:blank","title":")";
    answer.body += reason_phrase(status);
    answer.body += R"(","status":)" + std::to_string(status) + R"(,"detail":")";
    answer.body += detail;
    answer.body += R"(","code":")";
    answer.body += code;
    answer.body += "\"}";
    return answer;
}

std::string_view reason_phrase(int status) {
    static constexpr std::pair<int, std::string_view> kPhrases[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {307, "Temporary Redirect"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {412, "Precondition Failed"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {416, "Range Not Satisfiable"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {423, "Locked"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {507, "Insufficient Storage"},
        {504, "Gateway Timeout"},
    };
    for (const auto& [code, phrase] : kPhrases)
        if (code == status) return phrase;
    return "Status";
}

bool has_token(std::string_view list, std::string_view token) {
    while (!list.empty()) {
        const std::size_t end = std::min(list.find(','), list.size());
        std::string_view item = list.substr(0, end);
        list.remove_prefix(std::min(end + 1, list.size()));
        while (item.starts_with(' ') || item.starts_with('\t')) item.remove_prefix(1);
        while (item.ends_with(' ') || item.ends_with('\t')) item.remove_suffix(1);
        if (equals_ignoring_case(item, token)) return true;
    }
    return false;
}

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '+' && plus == Plus::space) {
            out += ' ';
        } else if (text[i] != '%') {
            out += text[i];
        } else {
            if (text.size() - i < 3) return std::nullopt;
            const int high = hex(text[i + 1]), low = hex(text[i + 2]);
            if (high < 0 || low < 0) return std::nullopt;
            out += static_cast<char>(high << 4 | low);
            i += 2;
        }
    }
    return out;
}

} // namespace parley::net
