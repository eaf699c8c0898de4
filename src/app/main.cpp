#include "app/commands/command.hpp"

int main(int argc, char** argv) { return parley::app::run_command_line(argc, argv); }
