#include "api/json.hpp"

#include "base/limits.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_stack.hpp>

#include <cmath>

namespace parley::api {

namespace {

namespace json = boost::json;

bool has_nul(json::string_view text) { return text.find('\0') != json::string_view::npos; }

// Builds the value, and counts the keys: an object that has a key twice keeps one of them, so that
// the value has fewer members than were read.
struct Builder {
    static constexpr std::size_t max_object_size = json::object::max_size(),
                                 max_array_size = json::array::max_size(),
                                 max_key_size = json::string::max_size(),
                                 max_string_size = json::string::max_size();

    json::value_stack stack;
    std::size_t keys = 0;

    bool on_document_begin(json::error_code&) {
        stack.reset();
        return true;
    }
    bool on_document_end(json::error_code&) { return true; }
    bool on_object_begin(json::error_code&) { return true; }
    bool on_object_end(std::size_t size, json::error_code&) {
        stack.push_object(size);
        return true;
    }
    bool on_array_begin(json::error_code&) { return true; }
    bool on_array_end(std::size_t size, json::error_code&) {
        stack.push_array(size);
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, json::error_code& ec) {
        stack.push_chars(part);
        return !has_nul(part) || refuse(ec);
    }
    bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
        stack.push_key(part);
        ++keys;
        return !has_nul(part) || refuse(ec);
    }
    bool on_string_part(json::string_view part, std::size_t, json::error_code& ec) {
        stack.push_chars(part);
        return !has_nul(part) || refuse(ec);
    }
    bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
        stack.push_string(part);
        return !has_nul(part) || refuse(ec);
    }
    bool on_number_part(json::string_view, json::error_code&) { return true; }
    bool on_int64(std::int64_t value, json::string_view, json::error_code&) {
        stack.push_int64(value);
        return true;
    }
    bool on_uint64(std::uint64_t value, json::string_view, json::error_code&) {
        stack.push_uint64(value);
        return true;
    }
    bool on_double(double value, json::string_view, json::error_code& ec) {
        stack.push_double(value);
        return std::isfinite(value) || refuse(ec);
    }
    bool on_bool(bool value, json::error_code&) {
        stack.push_bool(value);
        return true;
    }
    bool on_null(json::error_code&) {
        stack.push_null();
        return true;
    }
    bool on_comment_part(json::string_view, json::error_code& ec) { return refuse(ec); }
    bool on_comment(json::string_view, json::error_code& ec) { return refuse(ec); }

private:
    static bool refuse(json::error_code& ec) {
        ec = json::error::syntax;
        return false;
    }
};

std::size_t count_members(const json::value& value) {
    std::size_t count = 0;
    if (const auto* object = value.if_object()) {
        count = object->size();
        for (const auto& member : *object) count += count_members(member.value());
    } else if (const auto* array = value.if_array()) {
        for (const json::value& element : *array) count += count_members(element);
    }
    return count;
}

Error bad_json(std::string_view why) { return {Errc::bad_json, std::string(why)}; }

} // namespace

struct JsonBody::Object {
    json::value value;
    const json::value* find(std::string_view field) const {
        return value.get_object().if_contains({field.data(), field.size()});
    }
};

Error invalid_field(std::string_view field, std::string_view expected) {
    return {Errc::invalid_field,
            std::string(field) + ": " + std::string(expected) + " was expected."};
}

Error JsonBody::bad_id(std::string_view field) {
    return invalid_field(field, "an id, a string of digits,");
}

Result<JsonBody> JsonBody::parse(std::string_view body) {
    json::parse_options options;
    options.max_depth = limits::kJsonDepth;
    json::basic_parser<Builder> parser(options);
    json::error_code ec;
    const std::size_t used = parser.write_some(false, body.data(), body.size(), ec);
    if (ec || used != body.size()) return bad_json("The body is not valid JSON.");
    auto object = std::make_shared<Object>(Object{parser.handler().stack.release()});
    if (!object->value.is_object()) return bad_json("The body is not a JSON object.");
    if (count_members(object->value) != parser.handler().keys)
        return bad_json("A key of the body stands in one object twice.");
    return JsonBody(std::move(object));
}

bool JsonBody::has(std::string_view field) const { return x_object->find(field) != nullptr; }

bool JsonBody::is_absent(std::string_view field) const {
    const json::value* value = x_object->find(field);
    return !value || value->is_null();
}

Result<std::string> JsonBody::text(std::string_view field) const {
    const json::value* value = x_object->find(field);
    const json::string* text = value ? value->if_string() : nullptr;
    if (!text) return invalid_field(field, "a string");
    return std::string(text->data(), text->size());
}

Result<std::string> JsonBody::number_text(std::string_view field) const {
    const json::value* value = x_object->find(field);
    if (value && value->is_int64()) return std::to_string(value->get_int64());
    if (value && value->is_uint64()) return std::to_string(value->get_uint64());
    if (value && value->is_string()) return text(field);
    return invalid_field(field, "an id, a number above 0,");
}

Result<std::optional<std::string>> JsonBody::optional_text(std::string_view field) const {
    if (is_absent(field)) return std::optional<std::string>{};
    PARLEY_TRY(std::string found, text(field));
    return std::optional<std::string>(std::move(found));
}

Result<std::optional<bool>> JsonBody::optional_flag(std::string_view field) const {
    if (is_absent(field)) return std::optional<bool>{};
    const bool* flag = x_object->find(field)->if_bool();
    if (!flag) return invalid_field(field, "true or false");
    return std::optional<bool>(*flag);
}

Result<std::optional<std::uint32_t>>
JsonBody::optional_number(std::string_view field, std::uint32_t least, std::uint32_t most) const {
    if (is_absent(field)) return std::optional<std::uint32_t>{};
    boost::system::error_code bad;
    const auto number = x_object->find(field)->to_number<std::int64_t>(bad);
    if (bad || number < least || number > most)
        return invalid_field(field, "a whole number from " + std::to_string(least) + " to " +
                                        std::to_string(most));
    return std::optional(static_cast<std::uint32_t>(number));
}

Result<std::uint64_t> JsonBody::size(std::string_view field) const {
    boost::system::error_code bad;
    const std::int64_t number =
        is_absent(field) ? -1 : x_object->find(field)->to_number<std::int64_t>(bad);
    if (bad || number < 0) return invalid_field(field, "a whole number of bytes");
    return static_cast<std::uint64_t>(number);
}

Result<std::optional<std::string>> JsonBody::clearable_text(std::string_view field) const {
    if (!has(field)) return std::optional<std::string>{};
    if (is_absent(field)) return std::optional<std::string>("");
    return optional_text(field);
}

Result<std::vector<JsonBody>> JsonBody::objects(std::string_view field, std::size_t most) const {
    std::vector<JsonBody> found;
    if (is_absent(field)) return found;
    const json::array* array = x_object->find(field)->if_array();
    if (!array || array->size() > most)
        return invalid_field(field, "an array of at most " + std::to_string(most) + " objects");
    for (const json::value& element : *array) {
        if (!element.is_object()) return invalid_field(field, "an array of objects");
        found.push_back(JsonBody(std::make_shared<Object>(Object{element})));
    }
    return found;
}

Result<std::vector<std::string>> JsonBody::texts(std::string_view field, std::size_t most) const {
    std::vector<std::string> found;
    if (is_absent(field)) return found;
    const json::array* array = x_object->find(field)->if_array();
    if (!array) return invalid_field(field, "an array of strings");
    if (array->size() > most)
        return invalid_field(field, "an array of at most " + std::to_string(most) + " strings");
    for (const json::value& element : *array) {
        const json::string* text = element.if_string();
        if (!text) return invalid_field(field, "an array of strings");
        found.emplace_back(text->data(), text->size());
    }
    return found;
}

} // namespace parley::api
