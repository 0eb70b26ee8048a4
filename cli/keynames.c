#include "cli/keynames.h"

#include <libvirt/libvirt.h>
#include <linux/input-event-codes.h>
#include <string.h>

#define KEY(name)                                                                                  \
    {                                                                                              \
        "KEY_" #name, KEY_##name                                                                   \
    }
#define BTN(name)                                                                                  \
    {                                                                                              \
        "BTN_" #name, BTN_##name                                                                   \
    }

/* clang-format off */
static const KeyName linux_names[] = {
    KEY(RESERVED), KEY(ESC), KEY(1), KEY(2), KEY(3), KEY(4), KEY(5), KEY(6), KEY(7), KEY(8), KEY(9), KEY(0),
    KEY(MINUS), KEY(EQUAL), KEY(BACKSPACE), KEY(TAB), KEY(Q), KEY(W), KEY(E), KEY(R), KEY(T), KEY(Y), KEY(U),
    KEY(I), KEY(O), KEY(P), KEY(LEFTBRACE), KEY(RIGHTBRACE), KEY(ENTER), KEY(LEFTCTRL), KEY(A), KEY(S), KEY(D),
    KEY(F), KEY(G), KEY(H), KEY(J), KEY(K), KEY(L), KEY(SEMICOLON), KEY(APOSTROPHE), KEY(GRAVE), KEY(LEFTSHIFT),
    KEY(BACKSLASH), KEY(Z), KEY(X), KEY(C), KEY(V), KEY(B), KEY(N), KEY(M), KEY(COMMA), KEY(DOT), KEY(SLASH),
    KEY(RIGHTSHIFT), KEY(KPASTERISK), KEY(LEFTALT), KEY(SPACE), KEY(CAPSLOCK), KEY(F1), KEY(F2), KEY(F3), KEY(F4),
    KEY(F5), KEY(F6), KEY(F7), KEY(F8), KEY(F9), KEY(F10), KEY(NUMLOCK), KEY(SCROLLLOCK), KEY(KP7), KEY(KP8),
    KEY(KP9), KEY(KPMINUS), KEY(KP4), KEY(KP5), KEY(KP6), KEY(KPPLUS), KEY(KP1), KEY(KP2), KEY(KP3), KEY(KP0),
    KEY(KPDOT), KEY(ZENKAKUHANKAKU), KEY(102ND), KEY(F11), KEY(F12), KEY(RO), KEY(KATAKANA), KEY(HIRAGANA),
    KEY(HENKAN), KEY(KATAKANAHIRAGANA), KEY(MUHENKAN), KEY(KPJPCOMMA), KEY(KPENTER), KEY(RIGHTCTRL), KEY(KPSLASH),
    KEY(SYSRQ), KEY(RIGHTALT), KEY(LINEFEED), KEY(HOME), KEY(UP), KEY(PAGEUP), KEY(LEFT), KEY(RIGHT), KEY(END),
    KEY(DOWN), KEY(PAGEDOWN), KEY(INSERT), KEY(DELETE), KEY(MACRO), KEY(MUTE), KEY(VOLUMEDOWN), KEY(VOLUMEUP),
    KEY(POWER), KEY(KPEQUAL), KEY(KPPLUSMINUS), KEY(PAUSE), KEY(SCALE), KEY(KPCOMMA), KEY(HANGEUL), KEY(HANGUEL),
    KEY(HANJA), KEY(YEN), KEY(LEFTMETA), KEY(RIGHTMETA), KEY(COMPOSE), KEY(STOP), KEY(AGAIN), KEY(PROPS), KEY(UNDO),
    KEY(FRONT), KEY(COPY), KEY(OPEN), KEY(PASTE), KEY(FIND), KEY(CUT), KEY(HELP), KEY(MENU), KEY(CALC), KEY(SETUP),
    KEY(SLEEP), KEY(WAKEUP), KEY(FILE), KEY(SENDFILE), KEY(DELETEFILE), KEY(XFER), KEY(PROG1), KEY(PROG2), KEY(WWW),
    KEY(MSDOS), KEY(COFFEE), KEY(SCREENLOCK), KEY(DIRECTION), KEY(ROTATE_DISPLAY), KEY(CYCLEWINDOWS), KEY(MAIL),
    KEY(BOOKMARKS), KEY(COMPUTER), KEY(BACK), KEY(FORWARD), KEY(CLOSECD), KEY(EJECTCD), KEY(EJECTCLOSECD),
    KEY(NEXTSONG), KEY(PLAYPAUSE), KEY(PREVIOUSSONG), KEY(STOPCD), KEY(RECORD), KEY(REWIND), KEY(PHONE), KEY(ISO),
    KEY(CONFIG), KEY(HOMEPAGE), KEY(REFRESH), KEY(EXIT), KEY(MOVE), KEY(EDIT), KEY(SCROLLUP), KEY(SCROLLDOWN),
    KEY(KPLEFTPAREN), KEY(KPRIGHTPAREN), KEY(NEW), KEY(REDO), KEY(F13), KEY(F14), KEY(F15), KEY(F16), KEY(F17),
    KEY(F18), KEY(F19), KEY(F20), KEY(F21), KEY(F22), KEY(F23), KEY(F24), KEY(PLAYCD), KEY(PAUSECD), KEY(PROG3),
    KEY(PROG4), KEY(ALL_APPLICATIONS), KEY(DASHBOARD), KEY(SUSPEND), KEY(CLOSE), KEY(PLAY), KEY(FASTFORWARD),
    KEY(BASSBOOST), KEY(PRINT), KEY(HP), KEY(CAMERA), KEY(SOUND), KEY(QUESTION), KEY(EMAIL), KEY(CHAT), KEY(SEARCH),
    KEY(CONNECT), KEY(FINANCE), KEY(SPORT), KEY(SHOP), KEY(ALTERASE), KEY(CANCEL), KEY(BRIGHTNESSDOWN),
    KEY(BRIGHTNESSUP), KEY(MEDIA), KEY(SWITCHVIDEOMODE), KEY(KBDILLUMTOGGLE), KEY(KBDILLUMDOWN), KEY(KBDILLUMUP),
    KEY(SEND), KEY(REPLY), KEY(FORWARDMAIL), KEY(SAVE), KEY(DOCUMENTS), KEY(BATTERY), KEY(BLUETOOTH), KEY(WLAN),
    KEY(UWB), KEY(UNKNOWN), KEY(VIDEO_NEXT), KEY(VIDEO_PREV), KEY(BRIGHTNESS_CYCLE), KEY(BRIGHTNESS_AUTO),
    KEY(BRIGHTNESS_ZERO), KEY(DISPLAY_OFF), KEY(WIMAX), KEY(WWAN), KEY(RFKILL), KEY(MICMUTE), BTN(0), BTN(MISC),
    BTN(1), BTN(2), BTN(3), BTN(4), BTN(5), BTN(6), BTN(7), BTN(8), BTN(9), BTN(LEFT), BTN(MOUSE), BTN(RIGHT),
    BTN(MIDDLE), BTN(SIDE), BTN(EXTRA), BTN(FORWARD), BTN(BACK), BTN(TASK), BTN(JOYSTICK), BTN(TRIGGER), BTN(THUMB),
    BTN(THUMB2), BTN(TOP), BTN(TOP2), BTN(PINKIE), BTN(BASE), BTN(BASE2), BTN(BASE3), BTN(BASE4), BTN(BASE5),
    BTN(BASE6), BTN(DEAD), BTN(A), BTN(GAMEPAD), BTN(SOUTH), BTN(B), BTN(EAST), BTN(C), BTN(NORTH), BTN(X),
    BTN(WEST), BTN(Y), BTN(Z), BTN(TL), BTN(TR), BTN(TL2), BTN(TR2), BTN(SELECT), BTN(START), BTN(MODE),
    BTN(THUMBL), BTN(THUMBR), BTN(DIGI), BTN(TOOL_PEN), BTN(TOOL_RUBBER), BTN(TOOL_BRUSH), BTN(TOOL_PENCIL),
    BTN(TOOL_AIRBRUSH), BTN(TOOL_FINGER), BTN(TOOL_MOUSE), BTN(TOOL_LENS), BTN(TOUCH), BTN(STYLUS), BTN(STYLUS2),
    BTN(TOOL_DOUBLETAP), BTN(TOOL_TRIPLETAP), BTN(TOOL_QUADTAP), BTN(GEAR_DOWN), BTN(WHEEL), BTN(GEAR_UP), KEY(OK),
    KEY(SELECT), KEY(GOTO), KEY(CLEAR), KEY(POWER2), KEY(OPTION), KEY(INFO), KEY(TIME), KEY(VENDOR), KEY(ARCHIVE),
    KEY(PROGRAM), KEY(CHANNEL), KEY(FAVORITES), KEY(EPG), KEY(PVR), KEY(MHP), KEY(LANGUAGE), KEY(TITLE),
    KEY(SUBTITLE), KEY(ANGLE), KEY(FULL_SCREEN), KEY(ZOOM), KEY(MODE), KEY(KEYBOARD), KEY(ASPECT_RATIO),
    KEY(SCREEN), KEY(PC), KEY(TV), KEY(TV2), KEY(VCR), KEY(VCR2), KEY(SAT), KEY(SAT2), KEY(CD), KEY(TAPE),
    KEY(RADIO), KEY(TUNER), KEY(PLAYER), KEY(TEXT), KEY(DVD), KEY(AUX), KEY(MP3), KEY(AUDIO), KEY(VIDEO),
    KEY(DIRECTORY), KEY(LIST), KEY(MEMO), KEY(CALENDAR), KEY(RED), KEY(GREEN), KEY(YELLOW), KEY(BLUE),
    KEY(CHANNELUP), KEY(CHANNELDOWN), KEY(FIRST), KEY(LAST), KEY(AB), KEY(NEXT), KEY(RESTART), KEY(SLOW),
    KEY(SHUFFLE), KEY(BREAK), KEY(PREVIOUS), KEY(DIGITS), KEY(TEEN), KEY(TWEN), KEY(VIDEOPHONE), KEY(GAMES),
    KEY(ZOOMIN), KEY(ZOOMOUT), KEY(ZOOMRESET), KEY(WORDPROCESSOR), KEY(EDITOR), KEY(SPREADSHEET),
    KEY(GRAPHICSEDITOR), KEY(PRESENTATION), KEY(DATABASE), KEY(NEWS), KEY(VOICEMAIL), KEY(ADDRESSBOOK),
    KEY(MESSENGER), KEY(BRIGHTNESS_TOGGLE), KEY(DISPLAYTOGGLE), KEY(SPELLCHECK), KEY(LOGOFF), KEY(DOLLAR),
    KEY(EURO), KEY(FRAMEBACK), KEY(FRAMEFORWARD), KEY(CONTEXT_MENU), KEY(MEDIA_REPEAT), KEY(DEL_EOL), KEY(DEL_EOS),
    KEY(INS_LINE), KEY(DEL_LINE), KEY(FN), KEY(FN_ESC), KEY(FN_F1), KEY(FN_F2), KEY(FN_F3), KEY(FN_F4), KEY(FN_F5),
    KEY(FN_F6), KEY(FN_F7), KEY(FN_F8), KEY(FN_F9), KEY(FN_F10), KEY(FN_F11), KEY(FN_F12), KEY(FN_1), KEY(FN_2),
    KEY(FN_D), KEY(FN_E), KEY(FN_F), KEY(FN_S), KEY(FN_B), KEY(BRL_DOT1), KEY(BRL_DOT2), KEY(BRL_DOT3),
    KEY(BRL_DOT4), KEY(BRL_DOT5), KEY(BRL_DOT6), KEY(BRL_DOT7), KEY(BRL_DOT8), KEY(BRL_DOT9), KEY(BRL_DOT10),
    KEY(NUMERIC_0), KEY(NUMERIC_1), KEY(NUMERIC_2), KEY(NUMERIC_3), KEY(NUMERIC_4), KEY(NUMERIC_5), KEY(NUMERIC_6),
    KEY(NUMERIC_7), KEY(NUMERIC_8), KEY(NUMERIC_9), KEY(NUMERIC_STAR), KEY(NUMERIC_POUND), KEY(NUMERIC_A),
    { NULL },
};

static const KeyName osx_names[] = {
    { "ANSI_A", 0 }, { "ANSI_S", 1 }, { "ANSI_D", 2 }, { "ANSI_F", 3 }, { "ANSI_H", 4 }, { "ANSI_G", 5 },
    { "ANSI_Z", 6 }, { "ANSI_X", 7 }, { "ANSI_C", 8 }, { "ANSI_V", 9 }, { "ISO_Section", 10 }, { "ANSI_B", 11 },
    { "ANSI_Q", 12 }, { "ANSI_W", 13 }, { "ANSI_E", 14 }, { "ANSI_R", 15 }, { "ANSI_Y", 16 }, { "ANSI_T", 17 },
    { "ANSI_1", 18 }, { "ANSI_2", 19 }, { "ANSI_3", 20 }, { "ANSI_4", 21 }, { "ANSI_6", 22 }, { "ANSI_5", 23 },
    { "ANSI_Equal", 24 }, { "ANSI_9", 25 }, { "ANSI_7", 26 }, { "ANSI_Minus", 27 }, { "ANSI_8", 28 },
    { "ANSI_0", 29 }, { "ANSI_RightBracket", 30 }, { "ANSI_O", 31 }, { "ANSI_U", 32 }, { "ANSI_LeftBracket", 33 },
    { "ANSI_I", 34 }, { "ANSI_P", 35 }, { "Return", 36 }, { "ANSI_L", 37 }, { "ANSI_J", 38 }, { "ANSI_Quote", 39 },
    { "ANSI_K", 40 }, { "ANSI_Semicolon", 41 }, { "ANSI_Backslash", 42 }, { "ANSI_Comma", 43 },
    { "ANSI_Slash", 44 }, { "ANSI_N", 45 }, { "ANSI_M", 46 }, { "ANSI_Period", 47 }, { "Tab", 48 },
    { "Space", 49 }, { "ANSI_Grave", 50 }, { "Delete", 51 }, { "Escape", 53 }, { "RightCommand", 54 }, { "Command", 55 },
    { "Shift", 56 }, { "CapsLock", 57 }, { "Option", 58 }, { "Control", 59 }, { "RightShift", 60 },
    { "RightOption", 61 }, { "RightControl", 62 }, { "Function", 63 }, { "F17", 64 }, { "ANSI_KeypadDecimal", 65 },
    { "ANSI_KeypadMultiply", 67 }, { "ANSI_KeypadPlus", 69 }, { "ANSI_KeypadClear", 71 }, { "VolumeUp", 72 },
    { "VolumeDown", 73 }, { "Mute", 74 }, { "ANSI_KeypadDivide", 75 }, { "ANSI_KeypadEnter", 76 },
    { "ANSI_KeypadMinus", 78 }, { "F18", 79 }, { "F19", 80 }, { "ANSI_KeypadEquals", 81 }, { "ANSI_Keypad0", 82 },
    { "ANSI_Keypad1", 83 }, { "ANSI_Keypad2", 84 }, { "ANSI_Keypad3", 85 }, { "ANSI_Keypad4", 86 },
    { "ANSI_Keypad5", 87 }, { "ANSI_Keypad6", 88 }, { "ANSI_Keypad7", 89 }, { "F20", 90 }, { "ANSI_Keypad8", 91 },
    { "ANSI_Keypad9", 92 }, { "JIS_Yen", 93 }, { "JIS_Underscore", 94 }, { "JIS_KeypadComma", 95 }, { "F5", 96 },
    { "F6", 97 }, { "F7", 98 }, { "F3", 99 }, { "F8", 100 }, { "F9", 101 }, { "JIS_Eisu", 102 }, { "F11", 103 },
    { "JIS_Kana", 104 }, { "F13", 105 }, { "F16", 106 }, { "F14", 107 }, { "F10", 109 }, { "F12", 111 },
    { "F15", 113 }, { "Help", 114 }, { "Home", 115 }, { "PageUp", 116 }, { "ForwardDelete", 117 }, { "F4", 118 },
    { "End", 119 }, { "F2", 120 }, { "PageDown", 121 }, { "F1", 122 }, { "LeftArrow", 123 }, { "RightArrow", 124 },
    { "DownArrow", 125 }, { "UpArrow", 126 },
    { NULL },
};

static const KeyName win32_names[] = {
    { "VK_LBUTTON", 1 }, { "VK_RBUTTON", 2 }, { "VK_MBUTTON", 4 }, { "VK_XBUTTON1", 5 }, { "VK_XBUTTON2", 6 },
    { "VK_BACK", 8 }, { "VK_TAB", 9 }, { "VK_RETURN", 13 }, { "VK_CONTROL", 17 }, { "VK_MENU", 18 },
    { "VK_PAUSE", 19 }, { "VK_CAPITAL", 20 }, { "VK_KANA", 21 }, { "VK_IME_ON", 22 }, { "VK_IME_OFF", 26 },
    { "VK_ESCAPE", 27 }, { "VK_CONVERT", 28 }, { "VK_NONCONVERT", 29 }, { "VK_SPACE", 32 }, { "VK_PRIOR", 33 },
    { "VK_NEXT", 34 }, { "VK_END", 35 }, { "VK_HOME", 36 }, { "VK_LEFT", 37 }, { "VK_UP", 38 }, { "VK_RIGHT", 39 },
    { "VK_DOWN", 40 }, { "VK_SELECT", 41 }, { "VK_PRINT", 42 }, { "VK_SNAPSHOT", 44 }, { "VK_INSERT", 45 },
    { "VK_DELETE", 46 }, { "VK_HELP", 47 }, { "VK_0", 48 }, { "VK_1", 49 }, { "VK_2", 50 }, { "VK_3", 51 },
    { "VK_4", 52 }, { "VK_5", 53 }, { "VK_6", 54 }, { "VK_7", 55 }, { "VK_8", 56 }, { "VK_9", 57 }, { "VK_A", 65 },
    { "VK_B", 66 }, { "VK_C", 67 }, { "VK_D", 68 }, { "VK_E", 69 }, { "VK_F", 70 }, { "VK_G", 71 }, { "VK_H", 72 },
    { "VK_I", 73 }, { "VK_J", 74 }, { "VK_K", 75 }, { "VK_L", 76 }, { "VK_M", 77 }, { "VK_N", 78 }, { "VK_O", 79 },
    { "VK_P", 80 }, { "VK_Q", 81 }, { "VK_R", 82 }, { "VK_S", 83 }, { "VK_T", 84 }, { "VK_U", 85 }, { "VK_V", 86 },
    { "VK_W", 87 }, { "VK_X", 88 }, { "VK_Y", 89 }, { "VK_Z", 90 }, { "VK_LWIN", 91 }, { "VK_RWIN", 92 },
    { "VK_APPS", 93 }, { "VK_SLEEP", 95 }, { "VK_NUMPAD0", 96 }, { "VK_NUMPAD1", 97 }, { "VK_NUMPAD2", 98 },
    { "VK_NUMPAD3", 99 }, { "VK_NUMPAD4", 100 }, { "VK_NUMPAD5", 101 }, { "VK_NUMPAD6", 102 },
    { "VK_NUMPAD7", 103 }, { "VK_NUMPAD8", 104 }, { "VK_NUMPAD9", 105 }, { "VK_MULTIPLY", 106 }, { "VK_ADD", 107 },
    { "VK_SEPARATOR", 108 }, { "VK_SUBTRACT", 109 }, { "VK_DECIMAL", 110 }, { "VK_DIVIDE", 111 }, { "VK_F1", 112 },
    { "VK_F2", 113 }, { "VK_F3", 114 }, { "VK_F4", 115 }, { "VK_F5", 116 }, { "VK_F6", 117 }, { "VK_F7", 118 },
    { "VK_F8", 119 }, { "VK_F9", 120 }, { "VK_F10", 121 }, { "VK_F11", 122 }, { "VK_F12", 123 }, { "VK_F13", 124 },
    { "VK_F14", 125 }, { "VK_F15", 126 }, { "VK_F16", 127 }, { "VK_F17", 128 }, { "VK_F18", 129 },
    { "VK_F19", 130 }, { "VK_F20", 131 }, { "VK_F21", 132 }, { "VK_F22", 133 }, { "VK_F23", 134 },
    { "VK_F24", 135 }, { "VK_NUMLOCK", 144 }, { "VK_SCROLL", 145 }, { "VK_LSHIFT", 160 }, { "VK_RSHIFT", 161 },
    { "VK_RCONTROL", 163 }, { "VK_RMENU", 165 }, { "VK_BROWSER_BACK", 166 }, { "VK_BROWSER_FORWARD", 167 },
    { "VK_BROWSER_REFRESH", 168 }, { "VK_BROWSER_STOP", 169 }, { "VK_BROWSER_SEARCH", 170 },
    { "VK_BROWSER_FAVOURITES", 171 }, { "VK_BROWSER_HOME", 172 }, { "VK_VOLUME_MUTE", 173 },
    { "VK_VOLUME_DOWN", 174 }, { "VK_VOLUME_UP", 175 }, { "VK_MEDIA_NEXT_TRACK", 176 },
    { "VK_MEDIA_PREV_TRACK", 177 }, { "VK_MEDIA_STOP", 178 }, { "VK_MEDIA_PLAY_PAUSE", 179 },
    { "VK_LAUNCH_MAIL", 180 }, { "VK_OEM_1", 186 }, { "VK_OEM_PLUS", 187 }, { "VK_OEM_COMMA", 188 },
    { "VK_OEM_MINUS", 189 }, { "VK_OEM_PERIOD", 190 }, { "VK_OEM_2", 191 }, { "VK_OEM_3", 192 },
    { "VK_OEM_4", 219 }, { "VK_OEM_5", 220 }, { "VK_OEM_6", 221 }, { "VK_OEM_7", 222 }, { "VK_OEM_102", 226 },
    { "VK_OEM_COPY", 242 }, { "VK_PLAY", 250 }, { "VK_ZOOM", 251 },
    { NULL },
};
/* clang-format on */

const KeyCodeset key_codesets[] = {
    { "linux", VIR_KEYCODE_SET_LINUX, linux_names },
    { "xt", VIR_KEYCODE_SET_XT },
    { "atset1", VIR_KEYCODE_SET_ATSET1 },
    { "atset2", VIR_KEYCODE_SET_ATSET2 },
    { "atset3", VIR_KEYCODE_SET_ATSET3 },
    { "os_x", VIR_KEYCODE_SET_OSX, osx_names },
    { "xt_kbd", VIR_KEYCODE_SET_XT_KBD },
    { "usb", VIR_KEYCODE_SET_USB },
    { "win32", VIR_KEYCODE_SET_WIN32, win32_names },
    { "qnum", VIR_KEYCODE_SET_QNUM },
    { "rfb", VIR_KEYCODE_SET_QNUM }, /* what qnum was called before */
    { NULL },
};

const KeyCodeset *
key_codeset_find(const char *name)
{
    for (const KeyCodeset *set = key_codesets; set->name; set++) {
        if (strcmp(set->name, name) == 0)
            return set;
    }
    return NULL;
}

int
key_find(const KeyCodeset *set, const char *name)
{
    for (const KeyName *key = set->names; key && key->name; key++) {
        if (strcmp(key->name, name) == 0)
            return key->code;
    }
    return -1;
}
