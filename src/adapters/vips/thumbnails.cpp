#include "adapters/vips/thumbnails.hpp"

#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <dlfcn.h>

namespace parley::vips {
namespace {

constexpr const char* kLibrary = "libvips.so.42"; // its interface since 2015
constexpr int kSizeDown = 2;                      // VIPS_SIZE_DOWN
constexpr int kUchar = 0;                         // VIPS_FORMAT_UCHAR
// What may decode: each of one format, in wide use, and fuzzed by its makers.
constexpr std::array kLoaders{
    "VipsForeignLoadJpegBuffer", "VipsForeignLoadPngBuffer",  "VipsForeignLoadNsgifBuffer",
    "VipsForeignLoadWebpBuffer", "VipsForeignLoadHeifBuffer",
};

} // namespace

// The signatures of vips/*.h; an image is only passed on.
struct Library::Functions {
    int (*init)(const char*) = nullptr;
    void (*block_untrusted_set)(int) = nullptr;
    void (*concurrency_set)(int) = nullptr;
    void (*cache_set_max)(int) = nullptr;
    const char* (*foreign_find_load_buffer)(const void*, std::size_t) = nullptr;
    int (*thumbnail_buffer)(void*, std::size_t, void**, int, ...) = nullptr;
    int (*webpsave_buffer)(void*, void**, std::size_t*, ...) = nullptr;
    int (*colourspace)(void*, void**, int, ...) = nullptr;
    int (*flatten)(void*, void**, ...) = nullptr;
    int (*image_hasalpha)(void*) = nullptr;
    int (*image_remove)(void*, const char*) = nullptr;
    int (*image_get_width)(const void*) = nullptr;
    int (*image_get_height)(const void*) = nullptr;
    int (*image_get_bands)(const void*) = nullptr;
    void* (*image_write_to_memory)(void*, std::size_t*) = nullptr;
    int (*cast)(void*, void**, int, ...) = nullptr;
    const char* (*error_buffer)() = nullptr;
    void (*error_clear)() = nullptr;
    void (*object_unref)(void*) = nullptr;
    void (*free)(void*) = nullptr;
};

namespace {

template <class Function>
bool find(void* library, const char* name, Function& function) {
    function = reinterpret_cast<Function>(dlsym(library, name));
    return function != nullptr;
}

} // namespace

Result<std::unique_ptr<Library>> Library::open() {
    static Functions f;
    // No code that is made at run time: the service's unit forbids it, and liborc would crash.
    ::setenv("VIPS_NOVECTOR", "1", 1);
    void* const library = dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
    if (!library) return Error(Errc::unavailable, "libvips is not installed");
    const bool complete =
        find(library, "vips_init", f.init) &&
        find(library, "vips_block_untrusted_set", f.block_untrusted_set) &&
        find(library, "vips_concurrency_set", f.concurrency_set) &&
        find(library, "vips_cache_set_max", f.cache_set_max) &&
        find(library, "vips_foreign_find_load_buffer", f.foreign_find_load_buffer) &&
        find(library, "vips_thumbnail_buffer", f.thumbnail_buffer) &&
        find(library, "vips_webpsave_buffer", f.webpsave_buffer) &&
        find(library, "vips_colourspace", f.colourspace) &&
        find(library, "vips_flatten", f.flatten) &&
        find(library, "vips_image_hasalpha", f.image_hasalpha) &&
        find(library, "vips_image_remove", f.image_remove) &&
        find(library, "vips_image_get_width", f.image_get_width) &&
        find(library, "vips_image_get_height", f.image_get_height) &&
        find(library, "vips_image_get_bands", f.image_get_bands) &&
        find(library, "vips_image_write_to_memory", f.image_write_to_memory) &&
        find(library, "vips_cast", f.cast) && find(library, "vips_error_buffer", f.error_buffer) &&
        find(library, "vips_error_clear", f.error_clear) &&
        find(library, "g_object_unref", f.object_unref) && find(library, "g_free", f.free);
    if (!complete || f.init("parley") != 0)
        return Error(Errc::unavailable, "this libvips is none that is known (8.13 or newer)");
    f.block_untrusted_set(1);
    f.concurrency_set(1);
    f.cache_set_max(0);
    return std::unique_ptr<Library>(new Library(f));
}

Error Library::failure() const {
    std::string detail = "the picture cannot be decoded: ";
    detail += trim(x_functions.error_buffer());
    x_functions.error_clear();
    std::ranges::replace(detail, '\n', ' ');
    return {Errc::invalid_field, detail.substr(0, 200)};
}

// Half-way down where the format allows it, so that a large JPEG is never there as a whole.
Result<void*> Library::shrink(std::string_view picture, std::uint32_t longest) {
    const char* const loader = x_functions.foreign_find_load_buffer(picture.data(), picture.size());
    if (!loader || std::ranges::find(kLoaders, std::string_view(loader)) == kLoaders.end())
        return Error(Errc::invalid_field, "the picture is of no format that is decoded");
    void* image = nullptr;
    const int side = static_cast<int>(longest);
    if (x_functions.thumbnail_buffer(const_cast<char*>(picture.data()), picture.size(), &image,
                                     side, "height", side, "size", kSizeDown, "export_profile",
                                     "srgb", nullptr) != 0)
        return failure();
    return image;
}

Result<Thumbnail> Library::thumbnail(std::string_view picture, std::uint32_t longest) {
    PARLEY_TRY(void* const image, shrink(picture, longest));
    // It is sRGB now, as every picture without a profile is taken to be.
    x_functions.image_remove(image, "icc-profile-data");
    void* bytes = nullptr;
    std::size_t size = 0;
    const int failed = x_functions.webpsave_buffer(image, &bytes, &size, "Q", 80, "strip", 1,
                                                   "effort", 2, nullptr);
    Thumbnail thumbnail;
    thumbnail.width = static_cast<std::uint32_t>(x_functions.image_get_width(image));
    thumbnail.height = static_cast<std::uint32_t>(x_functions.image_get_height(image));
    x_functions.object_unref(image);
    if (failed != 0) return failure();
    thumbnail.webp.assign(static_cast<const char*>(bytes), size);
    x_functions.free(bytes);
    return thumbnail;
}

Result<Pixels> Library::pixels(std::string_view picture, std::uint32_t longest) {
    PARLEY_TRY(void* image, shrink(picture, longest));
    void* next = nullptr;
    const auto step = [&](int failed) {
        if (failed != 0) return false;
        x_functions.object_unref(image);
        image = next;
        return true;
    };
    constexpr int kSrgb = 22; // VIPS_INTERPRETATION_sRGB
    bool good = step(x_functions.colourspace(image, &next, kSrgb, nullptr));
    if (good && x_functions.image_hasalpha(image))
        good = step(x_functions.flatten(image, &next, nullptr));
    good = good && step(x_functions.cast(image, &next, kUchar, nullptr));
    std::size_t size = 0;
    void* const bytes = good ? x_functions.image_write_to_memory(image, &size) : nullptr;
    Pixels pixels;
    pixels.width = static_cast<std::uint32_t>(x_functions.image_get_width(image));
    pixels.height = static_cast<std::uint32_t>(x_functions.image_get_height(image));
    const int bands = x_functions.image_get_bands(image);
    x_functions.object_unref(image);
    if (!bytes) return failure();
    const auto* const first = static_cast<const std::uint8_t*>(bytes);
    pixels.rgb.assign(first, first + size);
    x_functions.free(bytes);
    if (bands != 3 || size != std::size_t{3} * pixels.width * pixels.height)
        return Error(Errc::invalid_field, "the picture has no colours that are known");
    return pixels;
}

} // namespace parley::vips
