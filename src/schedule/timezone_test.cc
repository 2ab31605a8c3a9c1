#include "schedule/timezone.h"

#include <gtest/gtest.h>
