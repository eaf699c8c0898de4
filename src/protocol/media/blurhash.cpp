#include "protocol/media/blurhash.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace parley::protocol::media {
namespace {

constexpr std::string_view kDigits =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
static_assert(kDigits.size() == 83);

using Colour = std::array<double, 3>; // linear, 0..1

double to_linear(std::uint8_t value) {
    const double v = value / 255.0;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
}

std::uint32_t to_srgb(double value) {
    const double v = std::clamp(value, 0.0, 1.0);
    const double s = v <= 0.0031308 ? v * 12.92 : 1.055 * std::pow(v, 1 / 2.4) - 0.055;
    return static_cast<std::uint32_t>(s * 255 + 0.5);
}

void put_base83(std::string& out, std::uint32_t value, int digits) {
    std::uint32_t divisor = 1;
    for (int i = 1; i < digits; ++i) divisor *= 83;
    for (; divisor > 0; divisor /= 83) out += kDigits[value / divisor % 83];
}

std::vector<Colour> linear(std::span<const std::uint8_t> pixels) {
    std::array<double, 256> table;
    for (std::size_t i = 0; i < table.size(); ++i)
        table[i] = to_linear(static_cast<std::uint8_t>(i));
    std::vector<Colour> colours(pixels.size() / 3);
    for (std::size_t i = 0; i < colours.size(); ++i)
        colours[i] = {table[pixels[3 * i]], table[pixels[3 * i + 1]], table[pixels[3 * i + 2]]};
    return colours;
}

Colour component(const std::vector<Colour>& colours, std::uint32_t width, std::uint32_t height,
                 std::uint32_t column, std::uint32_t row) {
    Colour sum{};
    for (std::uint32_t y = 0; y < height; ++y) {
        const double down = std::cos(std::numbers::pi * row * y / height);
        for (std::uint32_t x = 0; x < width; ++x) {
            const double basis = std::cos(std::numbers::pi * column * x / width) * down;
            const Colour& colour = colours[std::size_t{y} * width + x];
            for (std::size_t i = 0; i < 3; ++i) sum[i] += basis * colour[i];
        }
    }
    const double scale = (column == 0 && row == 0 ? 1.0 : 2.0) / (double{1} * width * height);
    for (double& value : sum) value *= scale;
    return sum;
}

// -1..1 in 19 steps that are finer near 0.
std::uint32_t quantised(double value) {
    const double root = std::copysign(std::sqrt(std::abs(value)), value);
    return static_cast<std::uint32_t>(std::clamp(std::floor(root * 9 + 9.5), 0.0, 18.0));
}

} // namespace

std::string make_blurhash(std::span<const std::uint8_t> pixels, std::uint32_t width,
                          std::uint32_t height, std::uint32_t columns, std::uint32_t rows) {
    PARLEY_ASSERT(columns >= 1 && columns <= 9 && rows >= 1 && rows <= 9);
    PARLEY_ASSERT(width > 0 && height > 0 && pixels.size() == std::size_t{3} * width * height);
    const std::vector<Colour> colours = linear(pixels);
    std::vector<Colour> components;
    for (std::uint32_t row = 0; row < rows; ++row)
        for (std::uint32_t column = 0; column < columns; ++column)
            components.push_back(component(colours, width, height, column, row));

    double largest = 0;
    for (std::size_t i = 1; i < components.size(); ++i)
        for (const double value : components[i]) largest = std::max(largest, std::abs(value));
    const auto maximum = static_cast<std::uint32_t>(
        components.size() == 1 ? 0 : std::clamp(std::floor(largest * 166 - 0.5), 0.0, 82.0));

    std::string out;
    put_base83(out, (columns - 1) + (rows - 1) * 9, 1);
    put_base83(out, maximum, 1);
    const Colour& average = components[0];
    put_base83(out, to_srgb(average[0]) << 16 | to_srgb(average[1]) << 8 | to_srgb(average[2]), 4);
    const double scale = (maximum + 1) / 166.0;
    for (std::size_t i = 1; i < components.size(); ++i) {
        std::uint32_t value = 0;
        for (const double part : components[i]) value = value * 19 + quantised(part / scale);
        put_base83(out, value, 2);
    }
    return out;
}

bool is_blurhash(std::string_view text) {
    if (text.size() < 6 || text.find_first_not_of(kDigits) != std::string_view::npos) return false;
    const std::size_t size = kDigits.find(text[0]);
    return text.size() == 4 + 2 * (size % 9 + 1) * (size / 9 + 1);
}

} // namespace parley::protocol::media
