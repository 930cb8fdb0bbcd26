// SPDX-License-Identifier: Apache-2.0
// Light and dark, from a ramp of our own (one hue, steps of even lightness).
import { createDarkTheme, createLightTheme, type BrandVariants, type Theme } from "@fluentui/react-components";

const ramp: BrandVariants = {
    10: "#021215", 20: "#021f22", 30: "#012d31", 40: "#003b40", 50: "#004950", 60: "#005860",
    70: "#006871", 80: "#007781", 90: "#068b96", 100: "#199eaa", 110: "#38b1bd", 120: "#57c3cf",
    130: "#7ad1db", 140: "#9edee5", 150: "#bfebf0", 160: "#daf4f7",
};

const fonts = {
    fontFamilyBase: "'Segoe UI', 'Segoe UI Variable Text', Inter, 'SF Pro Text', system-ui, -apple-system, Roboto, 'Noto Sans', 'Helvetica Neue', sans-serif",
    fontFamilyMonospace: "'Cascadia Code', 'JetBrains Mono', 'SF Mono', ui-monospace, Consolas, 'DejaVu Sans Mono', monospace",
};

export const light: Theme = {
    ...createLightTheme(ramp),
    ...fonts,
    colorNeutralBackground2: "#f6f8f9",
    colorNeutralBackground3: "#eef2f3",
    colorNeutralStroke2: "#dfe4e6",
    colorNeutralForeground3: "#56616a",
    colorBrandForegroundLink: ramp[70],
};

export const dark: Theme = {
    ...createDarkTheme(ramp),
    ...fonts,
    colorBrandForeground1: ramp[120],
    colorBrandForeground2: ramp[130],
    colorBrandForegroundLink: ramp[120],
    colorBrandForegroundLinkHover: ramp[130],
    colorBrandForegroundLinkPressed: ramp[110],
    colorCompoundBrandForeground1: ramp[120],
    colorCompoundBrandStroke: ramp[110],
    colorNeutralBackground1: "#1a1f23",
    colorNeutralBackground1Hover: "#232a2f",
    colorNeutralBackground1Pressed: "#161b1e",
    colorNeutralBackground1Selected: "#283036",
    colorNeutralBackground2: "#12161a",
    colorNeutralBackground2Hover: "#1b2126",
    colorNeutralBackground3: "#0d1114",
    colorNeutralBackground3Hover: "#171c20",
    colorNeutralStroke1: "#4a545b",
    colorNeutralStroke2: "#2d353a",
    colorNeutralStroke3: "#242b30",
    colorNeutralForeground3: "#a3adb3",
    colorNeutralBackgroundDisabled: "#20262a",
    colorNeutralForegroundDisabled: "#707b82",
    colorNeutralStrokeDisabled: "#343c42",
    colorBrandBackground2: "#0d3036",
    colorBrandBackground2Hover: "#103a41",
    colorBrandStroke2: "#1c5a62",
    colorStatusSuccessBackground1: "#13251a",
    colorStatusSuccessBorder1: "#2b5638",
    colorStatusSuccessForeground1: "#7fd28f",
    colorStatusWarningBackground1: "#2b2115",
    colorStatusWarningBorder1: "#644a22",
    colorStatusWarningForeground1: "#f3b26b",
    colorStatusWarningForeground3: "#f3b26b",
    colorStatusDangerBackground1: "#2e191c",
    colorStatusDangerBorder1: "#70313a",
    colorStatusDangerForeground1: "#f29aa2",
    colorSubtleBackgroundHover: "#232a2f",
    colorSubtleBackgroundPressed: "#1d2327",
    colorSubtleBackgroundSelected: "#283036",
};

export type ThemeChoice = "system" | "light" | "dark";

const place = "rollcall.theme";

export function storedTheme(): ThemeChoice {
    try {
        const word = localStorage.getItem(place);
        return word === "light" || word === "dark" ? word : "system";
    } catch {
        return "system";
    }
}

export function storeTheme(choice: ThemeChoice): void {
    try {
        localStorage.setItem(place, choice);
    } catch {
        // Without storage the choice lasts as long as the page.
    }
}
