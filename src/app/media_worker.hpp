// `parley media-worker`: looks at one file that a stranger has made, and ends. The server starts it
// (app::MediaProcess); it is nobody's command.
//
//   media-worker               in: 0 the file
//                              out: 1 the report (protocol/media/report.hpp), 3 small.webp,
//                              4 large.webp
//   media-worker strip         in: 0 a picture   out: 1 the report, 3 the same without metadata
//   media-worker poster FFMPEG FORMAT MS
//                              in: 0 a film   out: 1 a frame of it as PNG, by that program, which
//                              may do no more than this one
//
// It reads no setting, has no secret and no connection, and takes from itself what it does not need
// before it looks at the first byte that is decoded: see system/sandbox.hpp. How large a picture is
// when it is decoded is looked at before that.
//
// Threading: main thread. Shutdown: it ends by itself, or is killed.
#pragma once

#include <span>

namespace parley::app {

// The exit status; 0 where a report, or a frame, was written.
int run_media_worker(std::span<char* const> arguments);

} // namespace parley::app
