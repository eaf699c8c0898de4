#include "protocol/media/film.hpp"

#include "protocol/media/box.hpp"
#include "protocol/media/picture.hpp"

#include <algorithm>

namespace parley::protocol::media {
namespace {

using namespace std::string_view_literals;

bool is_metadata(std::string_view type) {
    return type == "udta"sv || type == "meta"sv || type == "uuid"sv;
}

// Where films have boxes with metadata in them: beside moov, in it, and in its tracks.
bool is_walked(std::string_view type) { return type == "moov"sv || type == "trak"sv; }
constexpr int kDepth = 3;

bool blank(std::string& bytes, std::size_t begin, std::size_t end, int depth) {
    bool found = false;
    Boxes boxes(std::string_view(bytes).substr(0, end), begin);
    while (const auto box = boxes.next()) {
        const auto type_at = static_cast<std::size_t>(box->type.data() - bytes.data());
        const std::size_t body = box->body_at, size = box->body.size();
        if (is_metadata(box->type)) {
            bytes.replace(type_at, 4, "free");
            std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(body), size, '\0');
            found = true;
        } else if (is_walked(box->type) && depth < kDepth) {
            found |= blank(bytes, body, body + size, depth + 1);
        }
    }
    return found;
}

} // namespace

bool is_film(std::string_view bytes) {
    return bytes.size() >= 16 && bytes.substr(4, 4) == "ftyp"sv && !picture_format(bytes);
}

bool strip_film(std::string& bytes) { return blank(bytes, 0, bytes.size(), 1); }

} // namespace parley::protocol::media
