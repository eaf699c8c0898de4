#include "protocol/media/avif.hpp"

#include "protocol/media/box.hpp"

#include <algorithm>
#include <cstring>
#include <set>

namespace parley::protocol::media {
namespace {

using namespace std::string_view_literals;

Error broken() { return Error(Errc::invalid_field, "the AVIF is broken"); }

struct Meta {
    std::string_view body; // after version and flags
    std::size_t at = 0;    // in the file
};

Result<Meta> find_meta(std::string_view bytes) {
    const auto box = Boxes(bytes).next("meta");
    if (!box || box->body.size() < 4) return broken();
    return Meta{box->body.substr(4), box->body_at + 4};
}

// The items that say something about the picture and are no part of it.
std::set<std::uint32_t> metadata_items(const Meta& meta) {
    std::set<std::uint32_t> items;
    const auto list = Boxes(meta.body).next("iinf");
    if (!list) return items;
    Boxes entries(list->body, byte_at(list->body, 0) == 0 ? 6 : 8);
    while (const auto entry = entries.next("infe")) {
        const std::uint8_t version = byte_at(entry->body, 0);
        if (version < 2) continue;
        const std::size_t id_size = version == 2 ? 2 : 4;
        const std::string_view type = part(entry->body, 4 + id_size + 2, 4);
        if (type == "Exif"sv || type == "mime"sv)
            items.insert(static_cast<std::uint32_t>(big_endian(entry->body, 4, id_size)));
    }
    return items;
}

// Reads numbers of any size, one after the other.
class Fields {
public:
    Fields(std::string_view bytes, std::size_t at) : x_bytes(bytes), x_at(at) {}
    std::uint64_t next(std::size_t size) {
        x_at += size;
        return big_endian(x_bytes, x_at - size, size);
    }
    bool at_end() const { return x_at >= x_bytes.size(); }

private:
    const std::string_view x_bytes;
    std::size_t x_at;
};

void zero(std::string& out, std::size_t from, std::uint64_t size) {
    if (from >= out.size()) return;
    std::memset(out.data() + from, 0, std::min<std::uint64_t>(size, out.size() - from));
}

// Zeros what the box of locations says of `items` (14496-12, 8.11.3).
void zero_items(const Meta& meta, const std::set<std::uint32_t>& items, std::string& out) {
    const auto locations = Boxes(meta.body).next("iloc");
    if (!locations) return;
    const auto data = Boxes(meta.body).next("idat");
    const std::string_view body = locations->body;
    const std::uint8_t version = byte_at(body, 0);
    const std::size_t offset_size = byte_at(body, 4) >> 4, length_size = byte_at(body, 4) & 15;
    const std::size_t base_size = byte_at(body, 5) >> 4;
    const std::size_t index_size = version == 0 ? 0 : byte_at(body, 5) & 15;
    if (std::max({offset_size, length_size, base_size, index_size}) > 8) return;
    Fields fields(body, 6);
    const std::size_t id_size = version < 2 ? 2 : 4;
    std::uint64_t count = fields.next(id_size);
    for (; count > 0 && !fields.at_end(); --count) {
        const bool wanted = items.contains(static_cast<std::uint32_t>(fields.next(id_size)));
        const std::uint64_t method = version == 0 ? 0 : fields.next(2) & 15;
        fields.next(2); // index of the data reference
        const std::uint64_t base = fields.next(base_size);
        const std::uint64_t extents = fields.next(2);
        for (std::uint64_t i = 0; i < extents && !fields.at_end(); ++i) {
            fields.next(index_size);
            const std::uint64_t offset = base + fields.next(offset_size);
            const std::uint64_t length = fields.next(length_size);
            if (!wanted || offset >= out.size()) continue;
            if (method == 0) zero(out, offset, length);
            if (method == 1 && data && offset < data->body.size())
                zero(out, meta.at + data->body_at + offset,
                     std::min<std::uint64_t>(length, data->body.size() - offset));
        }
    }
}

} // namespace

Result<PictureHeader> read_avif_header(std::string_view bytes) {
    PARLEY_TRY(const Meta meta, find_meta(bytes));
    const auto properties = Boxes(meta.body).next("iprp");
    const auto container = properties ? Boxes(properties->body).next("ipco") : std::nullopt;
    if (!container) return broken();
    PictureHeader header;
    header.format = PictureFormat::avif;
    Boxes boxes(container->body);
    while (const auto box = boxes.next("ispe")) {
        PictureHeader item;
        item.width = be32(box->body, 4);
        item.height = be32(box->body, 8);
        if (item.pixels() <= header.pixels()) continue;
        header.width = item.width;
        header.height = item.height;
    }
    return header;
}

Result<std::string> strip_avif(std::string_view bytes) {
    PARLEY_TRY(const Meta meta, find_meta(bytes));
    std::string out(bytes);
    const auto items = metadata_items(meta);
    if (!items.empty()) zero_items(meta, items, out);
    return out;
}

} // namespace parley::protocol::media
