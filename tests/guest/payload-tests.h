/* payload-tests: the parts of test-payload, each a subject. */
#pragma once

void add_power_tests(void);
void add_guards_tests(void);
void add_control_tests(void);
