#include "adapters/system/sandbox.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fcntl.h>
#include <fstream>
#include <linux/landlock.h>
#include <string>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace parley::system {
namespace {

bool reads(const std::string& path) {
    const int descriptor = open(path.c_str(), O_RDONLY);
    char byte = 0;
    return descriptor >= 0 && read(descriptor, &byte, 1) == 1;
}

// What a child can still do after it has closed its doors: one letter for each.
std::string left_to_a_child(bool (*close)(int), int file, const std::string& folder) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        std::string can;
        if (!close(file)) can += '!';
        if (reads("/proc/self/fd/" + std::to_string(file))) can += 'f'; // the file
        if (reads("/usr/lib/os-release")) can += 'u';                   // below /usr
        if (reads("/etc/passwd")) can += 'r';                           // the rest
        if (open((folder + "/new").c_str(), O_WRONLY | O_CREAT, 0600) >= 0) can += 'w';
        if (open((folder + "/file").c_str(), O_RDWR) >= 0) can += 'w';
        if (unlink((folder + "/file").c_str()) == 0) can += 'd';
        if (socket(AF_INET, SOCK_STREAM, 0) >= 0) can += 's';
        const long process = syscall(SYS_clone, 0, 0, 0, 0, 0);
        if (process == 0) _exit(0);
        if (process > 0) can += 'p';
        static_cast<void>(write(ends[1], can.data(), can.size()) + 1);
        _exit(0);
    }
    ::close(ends[1]);
    char text[64] = {};
    const ssize_t size = read(ends[0], text, sizeof(text));
    ::close(ends[0]);
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    return {text, static_cast<std::size_t>(std::max<ssize_t>(size, 0))};
}

class SandboxTest : public testing::Test {
protected:
    SandboxTest() {
        std::string name = testing::TempDir() + "/sandboxXXXXXX";
        x_folder = mkdtemp(name.data());
        std::ofstream(x_folder + "/file") << "film";
        x_file = open((x_folder + "/file").c_str(), O_RDONLY);
    }
    ~SandboxTest() override {
        close(x_file);
        unlink((x_folder + "/file").c_str());
        unlink((x_folder + "/new").c_str());
        rmdir(x_folder.c_str());
    }
    std::string x_folder;
    int x_file = -1;
};

TEST_F(SandboxTest, NothingIsOpenedOnceTheDoorsAreClosed) {
    EXPECT_EQ(left_to_a_child([](int) { return bound_process({1ull << 40, 60, 1 << 20}) &&
                                               close_doors(); },
                              x_file, x_folder),
              "");
}

// AddressSanitizer's run-time needs more of the system than is left here.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PARLEY_UNDER_ASAN
#endif
#endif
#ifndef PARLEY_UNDER_ASAN
TEST_F(SandboxTest, AnotherProgramReadsItsLibrariesAndTheFileAndNoMore) {
    const std::string can = left_to_a_child(
        [](int file) {
            return bound_process({1ull << 40, 60, 1 << 20}) && close_doors_but_reading(file);
        },
        x_file, x_folder);
    const bool has_landlock = syscall(SYS_landlock_create_ruleset, nullptr, 0,
                                      LANDLOCK_CREATE_RULESET_VERSION) >= 1;
    EXPECT_EQ(can, has_landlock ? "fu" : "fur");
}
#endif

} // namespace
} // namespace parley::system
