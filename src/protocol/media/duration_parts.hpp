// What the parsers of films and sounds share: pieces of a file within a budget. Threading: value
// types, pure functions.
#pragma once

#include "protocol/media/bytes.hpp"
#include "protocol/media/duration.hpp"

#include <algorithm>

namespace parley::protocol::media {

inline constexpr double kSecondsMax = 30.0 * 24 * 3600; // longer than that is a mistake

class Pieces {
public:
    explicit Pieces(const ByteSource& source) : x_source(source) {}
    // Empty at the end of the file, and when the budget is used up.
    std::string at(std::uint64_t offset, std::size_t count);
    std::uint64_t size() const { return x_source.size; }

private:
    const ByteSource& x_source;
    int x_left = kReadsMax;
};

std::optional<std::uint64_t> milliseconds(double seconds);

Measure measure_mp4(Pieces& pieces);
Measure measure_webm(Pieces& pieces);
Measure measure_wav(Pieces& pieces);
Measure measure_ogg(Pieces& pieces);
Measure measure_mp3(Pieces& pieces);

} // namespace parley::protocol::media
