#include "model/media.hpp"

#include "base/assert.hpp"

#include <boost/json.hpp>

#include <limits>

namespace parley::model {
namespace {

namespace json = boost::json;

void put_picture(json::array& list, MediaVariant variant, const std::optional<PictureSize>& size) {
    if (!size) return;
    json::object one;
    one["size"] = std::string(name_of(variant));
    one["width"] = size->width;
    one["height"] = size->height;
    list.emplace_back(std::move(one));
}

template <class Number>
std::optional<Number> number_of(const json::object& object, const char* name) {
    const json::value* const value = object.if_contains(name);
    if (!value) return std::nullopt;
    std::uint64_t number = 0;
    if (const std::uint64_t* const u = value->if_uint64())
        number = *u;
    else if (const std::int64_t* const i = value->if_int64(); i && *i >= 0)
        number = static_cast<std::uint64_t>(*i);
    else
        return std::nullopt;
    if (number > std::numeric_limits<Number>::max()) return std::nullopt;
    return static_cast<Number>(number);
}

std::string text_of(const json::object& object, const char* name) {
    const json::value* const value = object.if_contains(name);
    const json::string* const text = value ? value->if_string() : nullptr;
    return text ? std::string(text->data(), text->size()) : std::string();
}

void take_pictures(const json::array& list, MediaFacts& facts) {
    for (const json::value& each : list) {
        const json::object* const one = each.if_object();
        if (!one) continue;
        const auto width = number_of<std::uint32_t>(*one, "width");
        const auto height = number_of<std::uint32_t>(*one, "height");
        if (!width || !height) continue;
        const std::string name = text_of(*one, "size");
        if (name == name_of(MediaVariant::small)) facts.small = PictureSize{*width, *height};
        if (name == name_of(MediaVariant::large)) facts.large = PictureSize{*width, *height};
    }
}

} // namespace

std::string_view name_of(MediaVariant variant) {
    switch (variant) {
    case MediaVariant::original:
        return "original";
    case MediaVariant::small:
        return "small";
    case MediaVariant::large:
        return "large";
    }
    PARLEY_ASSERT(!"a MediaVariant outside its enum");
}

std::string variant_key(std::string_view key, MediaVariant variant) {
    std::string name(key);
    if (variant != MediaVariant::original) (name += '-') += name_of(variant);
    return name;
}

std::string stripped_key(std::string_view key) { return std::string(key) + "-stripped"; }

std::string to_json(const MediaFacts& facts) {
    json::object object;
    object["filename"] = facts.filename;
    object["content_type"] = facts.content_type;
    object["size"] = facts.size;
    if (facts.width) object["width"] = *facts.width;
    if (facts.height) object["height"] = *facts.height;
    if (facts.duration_ms) object["duration_ms"] = *facts.duration_ms;
    if (!facts.blurhash.empty()) object["blurhash"] = facts.blurhash;
    json::array pictures;
    put_picture(pictures, MediaVariant::small, facts.small);
    put_picture(pictures, MediaVariant::large, facts.large);
    if (!pictures.empty()) object["thumbnails"] = std::move(pictures);
    if (facts.poster) object["poster"] = true;
    if (facts.stripped) object["stripped"] = *facts.stripped;
    return json::serialize(object);
}

MediaFactsRef media_facts_of(std::string_view text) {
    boost::system::error_code error;
    const json::value value = json::parse({text.data(), text.size()}, error);
    const json::object* const object = error ? nullptr : value.if_object();
    if (!object) return nullptr;
    MediaFacts facts;
    facts.filename = text_of(*object, "filename");
    facts.content_type = text_of(*object, "content_type");
    const auto size = number_of<std::uint64_t>(*object, "size");
    if (facts.content_type.empty() || !size) return nullptr;
    facts.size = *size;
    facts.width = number_of<std::uint32_t>(*object, "width");
    facts.height = number_of<std::uint32_t>(*object, "height");
    facts.duration_ms = number_of<std::uint64_t>(*object, "duration_ms");
    facts.blurhash = text_of(*object, "blurhash");
    const json::value* const pictures = object->if_contains("thumbnails");
    if (pictures && pictures->if_array()) take_pictures(pictures->get_array(), facts);
    const json::value* const poster = object->if_contains("poster");
    facts.poster = poster && poster->is_bool() && poster->get_bool();
    const json::value* const stripped = object->if_contains("stripped");
    if (stripped && stripped->is_bool()) facts.stripped = stripped->get_bool();
    return std::make_shared<const MediaFacts>(std::move(facts));
}

} // namespace parley::model
