// SPDX-License-Identifier: Apache-2.0
// A short word that something was done.
import { Toast, ToastTitle, Toaster, useToastController } from "@fluentui/react-components";
import { useCallback } from "react";

const place = "toasts";

export const Toasts = () => <Toaster toasterId={place} position="bottom-end" />;

export function useToast(): (words: string) => void {
    const { dispatchToast } = useToastController(place);
    return useCallback((words: string) => dispatchToast(<Toast><ToastTitle>{words}</ToastTitle></Toast>, { intent: "success", timeout: 5000 }), [dispatchToast]);
}
