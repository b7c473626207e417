/** The doctor over HTTP: this tenant's numbers, in the spelling of the other routes. */
import type { Doctor } from "../doctor/doctor.ts";
import { sendJson } from "./error-response.ts";
import type { TenantRoute } from "./session.ts";

export function createDoctorRoute(doctor: Doctor): TenantRoute {
  return async (_request, response, { customerConfigId }) => {
    const { healthy, checks } = await doctor({ customerConfigId });
    sendJson(response, 200, {
      healthy,
      checks: checks.map(({ phoneNumberId, ...check }) => ({ ...check, phone_number_id: phoneNumberId })),
    });
  };
}
