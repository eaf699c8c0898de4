// ContentFilter: what may be stored and shown. It is the only way from Draft to Filtered. With no
// word list it lets everything through. Threading: const, any core.
#pragma once

#include "base/result.hpp"
#include "model/stages.hpp"

#include <string>
#include <variant>
#include <vector>

namespace parley::chat {

class ContentFilter {
public:
    // A posted message that a moderator must see first. The draft is as it was sent; only posts are
    // held, since only a post has a nonce under which it can wait.
    struct Held {
        model::Draft draft;
        std::vector<std::string> words; // the entries of the lists that it matched
    };
    // Error: content_rejected.
    using Verdict = std::variant<model::Filtered, Held, Error>;

    Verdict apply(model::Draft draft) const;
    // A held draft that a moderator lets through: words to be masked are masked, no other counts.
    model::Filtered approve(model::Draft draft) const;
};

} // namespace parley::chat
