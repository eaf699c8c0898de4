// Presence, typing, receipts, and what large rooms spare their members.
#include "tests/support/rooms_fixture.hpp"

namespace parley::service {
namespace {

TEST_F(RoomsTest, TypingReachesOthersOnceInAWhileAndNotInLargeRooms) {
    const model::RoomId room = make_room({users[1]});
    Listener ada(users[0]), bob(users[1]);
    ASSERT_TRUE(listen(0, ada, room));
    ASSERT_TRUE(listen(1, bob, room));
    const auto type = [&] {
        on(0, [&] { rooms[0]->typing(users[0], room, &ada); });
        settle();
    };
    type();
    type();
    EXPECT_EQ(bob.count("typing"), 1);
    EXPECT_EQ(ada.count("typing"), 0);
    pass(limits::kTypingEvery);
    type();
    EXPECT_EQ(bob.count("typing"), 2);
    join(room, users[2]);
    pass(limits::kTypingEvery);
    type();
    EXPECT_EQ(bob.count("typing"), 2) << "three members are many here";
}

TEST_F(RoomsTest, PresenceIsShownOnceForAUserWithTwoConnections) {
    const model::RoomId room = make_room({users[1]});
    Listener ada(users[0]), phone(users[1]), desk(users[1]);
    on(0, [&] { rooms[0]->connect(ada, 0, 99); });
    on(0, [&] { rooms[0]->connect(phone, 0, 99); });
    on(1, [&] { rooms[1]->connect(desk, 0, 99); });
    ASSERT_TRUE(listen(0, ada, room));
    ASSERT_TRUE(listen(0, phone, room));
    ASSERT_TRUE(listen(1, desk, room));
    settle();
    const auto about_bob = [&] {
        return std::count_if(ada.frames.begin(), ada.frames.end(), [&](const std::string& frame) {
            return frame.find("presence") != std::string::npos &&
                   frame.find("\"user_id\":\"" + users[1].to_string() + "\"") != std::string::npos;
        });
    };
    EXPECT_EQ(about_bob(), 1);
    EXPECT_EQ(await(0, rooms[0]->online({users[1], users[2]})), (std::vector<bool>{true, false}));
    EXPECT_FALSE(await(0, rooms[0]->online_in(room))) << "for large rooms";
    disconnect(0, phone, chat::Parting::said_goodbye);
    EXPECT_EQ(about_bob(), 1);
    disconnect(1, desk, chat::Parting::dropped);
    pass(limits::kPresenceGrace - 1ms);
    EXPECT_EQ(about_bob(), 1);
    EXPECT_EQ(await(0, rooms[0]->online({users[1]})), (std::vector<bool>{true}));
    pass(1ms);
    EXPECT_EQ(about_bob(), 2);
    disconnect(0, ada, chat::Parting::said_goodbye);
}

TEST_F(RoomsTest, WhoComesBackWithinTheGraceWasNeverGone) {
    const model::RoomId room = make_room({users[1]});
    Listener ada(users[0]), before(users[1]), after(users[1]);
    on(0, [&] { rooms[0]->connect(ada, 0, 99), rooms[0]->connect(before, 0, 99); });
    ASSERT_TRUE(listen(0, ada, room));
    ASSERT_TRUE(listen(0, before, room));
    settle();
    const std::size_t seen = ada.frames.size();
    disconnect(0, before, chat::Parting::dropped);
    pass(limits::kPresenceGrace / 2);
    on(1, [&] { rooms[1]->connect(after, 0, 99); });
    ASSERT_TRUE(listen(1, after, room));
    pass(2 * limits::kPresenceGrace);
    EXPECT_EQ(ada.frames.size(), seen);
    disconnect(0, ada, chat::Parting::said_goodbye);
    disconnect(1, after, chat::Parting::said_goodbye);
}

TEST_F(RoomsTest, WhoLeftARoomIsNotShownThere) {
    const model::RoomId room = make_room({users[1]});
    Listener ada(users[0]), bob(users[1]);
    on(0, [&] { rooms[0]->connect(ada, 0, 99), rooms[0]->connect(bob, 0, 99); });
    ASSERT_TRUE(listen(0, ada, room));
    ASSERT_TRUE(listen(0, bob, room));
    change_member(room, users[1], {users[1], model::MemberAction::left, model::Role::member});
    EXPECT_TRUE(bob.ended);
    const auto before = ada.count("presence");
    disconnect(0, bob, chat::Parting::said_goodbye);
    EXPECT_EQ(ada.count("presence"), before);
    disconnect(0, ada, chat::Parting::said_goodbye);
}

TEST_F(RoomsTest, InALargeRoomWhoComesAndGoesIsToldWithTheNextEventOrAfterAWhile) {
    const model::RoomId room = make_room({users[1], users[2]}); // three: large here
    Listener ada(users[0]), bob(users[1]), eve(users[2]);
    on(0, [&] { rooms[0]->connect(ada, 0, 99), rooms[0]->connect(eve, 0, 99); });
    ASSERT_TRUE(listen(0, ada, room));
    ASSERT_TRUE(listen(1, bob, room));
    ASSERT_TRUE(listen(0, eve, room));
    settle();
    EXPECT_EQ(ada.count("presence"), 0) << "a count, not a list";
    EXPECT_EQ(await(1, rooms[1]->online_in(room)), std::optional<std::size_t>(2));
    std::vector<model::UserId> more;
    for (int i = 0; i < 5; ++i) more.push_back(new_user("more" + std::to_string(i)));
    for (const auto user : more) join(room, user);
    EXPECT_EQ(ada.frames.size() + bob.frames.size(), 0u);
    say(0, room, users[0], "one");
    settle();
    for (Listener* each : {&ada, &bob, &eve}) {
        EXPECT_EQ(each->frames.size(), 2u) << "five joins in one piece, then the message";
        EXPECT_EQ(each->count("member"), 5);
        EXPECT_TRUE(each->chained());
    }
    change_member(room, more[0], {more[0], model::MemberAction::left, model::Role::member});
    pass(limits::kMemberEventsWait - 1ms);
    EXPECT_EQ(bob.frames.size(), 2u);
    pass(1ms);
    EXPECT_EQ(bob.frames.size(), 3u);
    // Whoever goes hears all that came before, and then nothing.
    change_member(room, more[1], {more[1], model::MemberAction::left, model::Role::member});
    change_member(room, users[2], {users[2], model::MemberAction::left, model::Role::member});
    EXPECT_TRUE(eve.ended);
    EXPECT_EQ(eve.count("member"), 8);
    EXPECT_TRUE(eve.chained());
    EXPECT_EQ(await(0, rooms[0]->online_in(room)), std::optional<std::size_t>(1));
    EXPECT_EQ(bob.frames.size(), 3u);
    // A removal does not wait.
    change_member(room, users[0], {more[2], model::MemberAction::removed, model::Role::member});
    EXPECT_EQ(bob.count("member"), 9);
    EXPECT_TRUE(bob.chained());
    EXPECT_TRUE(ada.chained());
    disconnect(0, ada, chat::Parting::said_goodbye);
    disconnect(0, eve, chat::Parting::said_goodbye);
}

TEST_F(RoomsTest, AResumeAmongJoinsThatWaitMissesNoneAndDoublesNone) {
    const model::RoomId room = make_room({users[1], users[2]});
    Listener ada(users[0]), bob(users[1]);
    ASSERT_TRUE(listen(0, ada, room));
    const model::EventId first = say(0, room, users[0], "one");
    const model::UserId x = new_user("x"), y = new_user("y");
    join(room, x);
    const auto resume = listen(0, bob, room, first);
    ASSERT_TRUE(resume);
    EXPECT_EQ(resume->events.size(), 1u);
    join(room, y);
    pass(limits::kMemberEventsWait);
    EXPECT_EQ(ada.count("member"), 2);
    EXPECT_EQ(bob.count("member"), 1);
    say(1, room, users[1], "two");
    settle();
    EXPECT_TRUE(bob.chained(resume->last_id));
}

TEST_F(RoomsTest, ReceiptsOfARoomGoOutFourTimesASecond) {
    const model::RoomId room = make_room({users[1]});
    Listener ada(users[0]), bob(users[1]), bobs_other(users[1]);
    on(1, [&] { rooms[1]->connect(bob, 0, 99), rooms[1]->connect(bobs_other, 0, 99); });
    ASSERT_TRUE(listen(0, ada, room));
    ASSERT_TRUE(listen(1, bob, room));
    std::vector<model::EventId> said;
    for (int i = 0; i < 40; ++i) said.push_back(say(0, room, users[0], std::to_string(i)));
    const auto read = [&](model::UserId user, model::EventId id, chat::Subscriber* from) {
        EXPECT_TRUE(await(1, rooms[1]->mark_read(user, room, id, from)));
    };
    for (const model::EventId id : said) {
        read(users[1], id, &bob);
        pass(25ms);
    }
    pass(limits::kReceiptEvery);
    EXPECT_GE(ada.count("receipt"), 3);
    EXPECT_LE(ada.count("receipt"), 6) << "a second and a bit";
    EXPECT_NE(ada.frames.back().find(said.back().to_string()), std::string::npos);
    EXPECT_GE(bobs_other.count("receipt"), 3);
    EXPECT_LE(bobs_other.count("receipt"), 6);
    EXPECT_EQ(bob.count("receipt"), 0) << "the connection that read";
    const auto items = await(0, store.rooms_of(users[1], {}, 10)).value();
    EXPECT_EQ(items.at(0).last_read_id, said.back());
    EXPECT_EQ(await(1, rooms[1]->mark_read(users[1], room, {7})).error().code,
              Errc::unknown_message);
    // In a large room only the reader's own connections hear of it.
    join(room, users[2]);
    const auto before = ada.count("receipt");
    const auto newest = say(0, room, users[0], "newest");
    read(users[1], newest, &bob);
    pass(2 * limits::kReceiptEvery);
    EXPECT_EQ(ada.count("receipt"), before);
    EXPECT_NE(bobs_other.frames.back().find(newest.to_string()), std::string::npos);
    disconnect(1, bob, chat::Parting::said_goodbye);
    disconnect(1, bobs_other, chat::Parting::said_goodbye);
}

TEST_F(RoomsTest, MarksOfOneMomentAreWrittenTogetherAndABadOneFailsAlone) {
    const model::RoomId room = make_room({users[1]});
    const model::EventId first = say(0, room, users[0], "one"),
                         second = say(0, room, users[0], "two");
    std::vector<std::future<Result<void>>> answers;
    on(0, [&] {
        for (const model::EventId id : {first, second, model::EventId{INT64_MAX}, first})
            answers.push_back(boost::asio::co_spawn(
                cores[0]->io(), rooms[0]->mark_read(users[1], room, id), boost::asio::use_future));
    });
    EXPECT_TRUE(answers[0].get());
    EXPECT_TRUE(answers[1].get());
    EXPECT_EQ(answers[2].get().error().code, Errc::unknown_message);
    EXPECT_TRUE(answers[3].get());
    EXPECT_EQ(await(0, store.rooms_of(users[1], {}, 10)).value().at(0).last_read_id, second);
}

TEST_F(RoomsTest, WhoIsOnlineIsStoredInBatchesAndAtTheEnd) {
    Listener ada(users[0]), bob(users[1]);
    on(0, [&] { rooms[0]->connect(ada, 0, 99), rooms[0]->connect(bob, 0, 99); });
    settle();
    pass(limits::kPresenceWrites);
    disconnect(0, bob, chat::Parting::said_goodbye);
    const model::Time left = clock.now();
    pass(limits::kPresenceWrites);
    pass(limits::kAliveWrites);
    const model::Time alive = clock.now();
    pass(limits::kAliveWrites / 2);
    // A crash now: the store is all that is left.
    EXPECT_EQ(await(0, store.settle_presence()).value(), 1u);
    const model::RoomId room = make_room({users[1]});
    const auto members = await(0, store.members(room, {}, 10)).value();
    EXPECT_EQ(members[0].last_seen_at, alive);
    EXPECT_EQ(members[1].last_seen_at, left);
    disconnect(0, ada, chat::Parting::said_goodbye);
}

} // namespace
} // namespace parley::service
