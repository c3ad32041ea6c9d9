// SPDX-License-Identifier: BSD-3-Clause
#include "app/commands.hpp"

int main(int argc, char** argv) {
    return tw::app::run_command_line(argc, argv);
}
