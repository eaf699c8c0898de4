#include "chat/composer.hpp"
#include "chat/content_filter.hpp"
#include "chat/word_matcher.hpp"
#include "tests/support/naive_filter.hpp"

#include <gtest/gtest.h>

#include <gmock/gmock.h>
#include <random>
#include <thread>

namespace parley::chat {
namespace {

using testing::ElementsAre;

constexpr model::RoomId kRoom{1}, kOther{2};
constexpr model::UserId kUser{3};

std::shared_ptr<const WordMatcher> matcher(const ContentFilter& filter, std::string_view file) {
    return WordMatcher::make(filter.folding(), parse_word_file("t", file).value()).value();
}

void use(ContentFilter& filter, std::string_view file, std::string_view of_room = {}) {
    auto snapshot = std::make_shared<ContentFilter::Snapshot>();
    snapshot->everywhere = matcher(filter, file);
    if (!of_room.empty()) snapshot->rooms[kRoom] = matcher(filter, of_room);
    filter.publish(std::move(snapshot));
}

model::Draft post(std::string_view content, model::RoomId room = kRoom) {
    return Composer::post(room, kUser, {"n", "TEXT", content, {}, {}}).value();
}

// The content that would be stored, or the verdict in brackets.
std::string said(const ContentFilter& filter, model::Draft draft) {
    auto verdict = filter.apply(std::move(draft));
    if (std::holds_alternative<Error>(verdict)) return "[rejected]";
    if (std::holds_alternative<ContentFilter::Held>(verdict)) return "[held]";
    const auto& body = std::get<model::Filtered>(verdict).draft().body();
    if (const auto* edit = std::get_if<model::EditDraft>(&body)) return edit->content;
    return std::get<model::PostDraft>(body).content;
}

TEST(ContentFilter, MasksTheOriginalOneStarForEachCodePoint) {
    ContentFilter filter;
    use(filter, "darn\n*heck*");
    EXPECT_EQ(said(filter, post("Oh Darn, what the hecking heck")),
              "Oh ****, what the ****ing ****");
    EXPECT_EQ(said(filter, post("d\u200Barn!")), "*****!");
    EXPECT_EQ(said(filter, post("ｄàrn ä")), "**** ä");
    EXPECT_EQ(said(filter, post("darn\u0301\u0301 you")), "****** you"); // the marks go with it
    EXPECT_EQ(said(filter, post("heckheck")), "********");
    EXPECT_EQ(said(filter, post("nothing")), "nothing");
}

TEST(ContentFilter, AnAllowedWordCancelsAHitThatItCovers) {
    ContentFilter filter;
    use(filter, "*cunt*\n!Scunthorpe\nreject: *horp*");
    EXPECT_EQ(said(filter, post("Scunthorpe")), "Scunthorpe");
    EXPECT_EQ(said(filter, post("Scunthorpe cunt")), "Scunthorpe ****");
    EXPECT_EQ(said(filter, post("Scunthorpes cunt")), "[rejected]"); // not the allowed word
    EXPECT_EQ(said(filter, post("Scunth0rpe")), "[rejected]");
}

TEST(ContentFilter, TheHardestActionOfATextCounts) {
    ContentFilter filter;
    use(filter, "darn\nhold: deal\nreject: spam");
    EXPECT_EQ(said(filter, post("darn deal")), "[held]");
    EXPECT_EQ(said(filter, post("darn deal spam")), "[rejected]");
    EXPECT_EQ(said(filter, Composer::edit(kRoom, kUser, {9}, "darn").value()), "****");
    EXPECT_EQ(said(filter, Composer::edit(kRoom, kUser, {9}, "deal").value()), "[rejected]");
}

TEST(ContentFilter, WhatIsHeldIsAsItWasSentAndIsMaskedOnceApproved) {
    ContentFilter filter;
    use(filter, "darn\nhold: deal\nhold: *offer*");
    auto verdict = filter.apply(post("darn deal, great offers, deal"));
    auto& held = std::get<ContentFilter::Held>(verdict);
    EXPECT_THAT(held.words, ElementsAre("deal", "offer"));
    EXPECT_EQ(std::get<model::PostDraft>(held.draft.body()).content,
              "darn deal, great offers, deal");
    const auto approved = filter.approve(std::move(held.draft));
    EXPECT_EQ(std::get<model::PostDraft>(approved.draft().body()).content,
              "**** deal, great offers, deal");
}

TEST(ContentFilter, ARetryIsTheSameMessageAlsoAfterMasking) {
    ContentFilter filter;
    use(filter, "darn");
    const auto hash_of = [](const model::Draft& draft) {
        return std::get<model::PostDraft>(draft.body()).body_hash;
    };
    const auto sent = post("darn it");
    const auto verdict = filter.apply(post("darn it"));
    EXPECT_EQ(hash_of(std::get<model::Filtered>(verdict).draft()), hash_of(sent));
}

TEST(ContentFilter, NamesAndTopicsOfRoomsAreLookedAtEmojiAreNot) {
    ContentFilter filter;
    use(filter, "darn\nreject: spam\n*+1*");
    const auto made = filter.apply(
        Composer::create(kUser, {.name = "darn club", .topic = "oh darn", .member_ids = {}})
            .value());
    const auto& create =
        std::get<model::CreateDraft>(std::get<model::Filtered>(made).draft().body());
    EXPECT_EQ(create.name, "**** club");
    EXPECT_EQ(create.topic, "oh ****");
    model::RoomDraft change;
    change.topic = "spam here";
    EXPECT_TRUE(
        std::holds_alternative<Error>(filter.apply(Composer::room(kRoom, kUser, change).value())));
    const auto reaction = filter.apply(Composer::react(kRoom, kUser, {5}, "+1", true).value());
    EXPECT_EQ(std::get<model::ReactDraft>(std::get<model::Filtered>(reaction).draft().body()).emoji,
              "+1");
}

TEST(ContentFilter, ANameOfAPersonIsRefusedForAnyHit) {
    ContentFilter filter;
    use(filter, "darn\nhold: deal\nreject: *spam*\n!spammer");
    EXPECT_TRUE(filter.check_name("Ann"));
    EXPECT_TRUE(filter.check_name("spammer"));
    for (const auto* name : {"darn", "the_deal", "xspamx"}) {
        const auto checked = filter.check_name(name);
        ASSERT_FALSE(checked) << name;
        EXPECT_EQ(checked.error().code, Errc::content_rejected);
    }
}

TEST(ContentFilter, ARoomsOwnWordsCountThereOnly) {
    ContentFilter filter;
    use(filter, "darn\n!crumbs", "reject: pineapple\n*crumb*");
    EXPECT_EQ(said(filter, post("darn pineapple")), "[rejected]");
    EXPECT_EQ(said(filter, post("darn crumbs crumbly")), "**** crumbs *****ly");
    EXPECT_EQ(said(filter, post("darn pineapple crumbly", kOther)), "**** pineapple crumbly");
}

TEST(ContentFilter, NewListsAreInForceAtOnceForEveryThread) {
    ContentFilter filter;
    EXPECT_EQ(said(filter, post("darn heck")), "darn heck");
    use(filter, "darn");
    EXPECT_EQ(said(filter, post("darn heck")), "**** heck");
    std::thread([&] {
        EXPECT_EQ(said(filter, post("darn heck")), "**** heck");
        use(filter, "heck");
    }).join();
    EXPECT_EQ(said(filter, post("darn heck")), "darn ****");
}

TEST(ContentFilter, ListsMayChangeWhileTheyAreRead) {
    ContentFilter filter;
    use(filter, "darn");
    std::atomic<bool> stop{false};
    std::thread reader([&] {
        while (!stop) {
            const std::string text = said(filter, post("darn heck"));
            EXPECT_TRUE(text == "**** heck" || text == "darn ****") << text;
        }
    });
    for (int i = 0; i < 200; ++i) use(filter, i % 2 ? "darn" : "heck");
    stop = true;
    reader.join();
}

TEST(ContentFilter, CountsWhatItDoes) {
    Metrics metrics;
    ContentFilter filter({}, &metrics);
    use(filter, "darn\nhold: deal\nreject: spam");
    said(filter, post("darn darn"));
    said(filter, post("deal"));
    said(filter, post("spam"));
    const std::string text = metrics.render();
    EXPECT_THAT(text, testing::HasSubstr("parley_filter_matches_total{action=\"mask\"} 2"));
    EXPECT_THAT(text, testing::HasSubstr("parley_filter_matches_total{action=\"hold\"} 1"));
    EXPECT_THAT(text, testing::HasSubstr("parley_filter_matches_total{action=\"reject\"} 1"));
}

// Lists and texts of few different characters, so that there is much to find.
class RandomCase {
public:
    explicit RandomCase(std::uint32_t seed) : x_random(seed) {}
    std::vector<WordEntry> entries() {
        std::vector<WordEntry> entries(1 + x_random() % 8);
        for (WordEntry& entry : entries) {
            do entry.text = text((x_random() % 16 ? 2 : 1) + x_random() % 6, kLetters);
            while (!parse_word_file("t", entry.text) || entry.text.find(' ') == 0);
            entry.action = static_cast<WordAction>(x_random() % 4);
            entry.open_left = x_random() % 2;
            entry.open_right = x_random() % 2;
        }
        return entries;
    }
    std::string text() { return text(x_random() % 60, kText); }

private:
    using Characters = std::vector<std::string>;
    std::string text(std::size_t length, const Characters& from) {
        std::string text;
        const std::size_t kinds = 2 + x_random() % (from.size() - 1);
        while (length-- > 0) text += from[x_random() % kinds];
        return text;
    }
    const Characters kLetters{"a",  "b",  "A",  "á", "а", "s", "5", "ß",
                              "が", "か", "박", "@", " ", "с", "é"};
    const Characters kText{"a",  "b", "s",    "5",  "а",      "á",  "\u0301", "\u200B", " ",
                           "ß",  "!", "S",    "か", "\u3099", "바", "\u11A8", "@",      "$",
                           "ｂ", "с", "\xFF", "e",  "笨",     "ﬁ",  "٥"};
    std::mt19937 x_random;
};

TEST(ContentFilter, AgreesWithAFilterThatTriesEverythingEverywhere) {
    ContentFilter filter;
    std::size_t found = 0;
    for (std::uint32_t seed = 0; seed < 600; ++seed) {
        RandomCase random(seed);
        const auto entries = random.entries();
        auto snapshot = std::make_shared<ContentFilter::Snapshot>();
        auto made = WordMatcher::make(filter.folding(), entries);
        if (!made) continue; // a word of nothing
        snapshot->everywhere = *made;
        filter.publish(std::move(snapshot));
        const support::NaiveFilter naive(filter.folding(), entries);
        for (int i = 0; i < 4; ++i) {
            std::string text = "x " + random.text() + " x";
            if (!Composer::edit(kRoom, kUser, {9}, text)) text = "x";
            const auto expected = naive.look(text);
            const std::string wanted =
                expected.rejected || expected.held ? "[rejected]" : expected.masked;
            ASSERT_EQ(said(filter, Composer::edit(kRoom, kUser, {9}, text).value()), wanted)
                << "seed " << seed << ", text " << text << "\n"
                << print_words(entries);
            found += wanted != text;
        }
    }
    EXPECT_GT(found, 200u);
}

TEST(ContentFilter, TheDefaultListsAreGood) {
    ContentFilter filter;
    std::string file;
    for (const DefaultWords& words : default_words()) file += std::string(words.file) + "\n";
    use(filter, file);
    EXPECT_EQ(said(filter, post("what the fuck, Fucking SCHEISSE, merde")),
              "what the ****, ****ing ********, merde");
    for (const auto* fine : {"Scunthorpe", "shitake", "class assignment", "die Scheibe", "cop",
                             "una hija", "caralhos", "чистый хутор", "Dickens", "cocktail"})
        EXPECT_EQ(said(filter, post(fine)), fine);
}

} // namespace
} // namespace parley::chat
